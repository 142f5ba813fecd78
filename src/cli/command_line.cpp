#include "cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/nearest.h"
#include "config/keys.h"
#include "config/synonyms.h"
#include "run/provenance.h"

namespace lockstep::cli {
namespace {

struct Command {
  const char* name;
  const char* help;
  Run (*declare)(Options& options);
  bool ends_in_order = true;  // see CommandLine
};
constexpr Command kCommands[] = {
    {"train", "Train a network; write metrics and weights to a run folder", train_command},
    {"eval", "Loss and accuracy of saved weights on training and test set", eval_command},
    {"export", "Write a trained network for other programs, as an ONNX file", export_command},
    {"verify", "Train on all ranks and, side by side, as one process on one thread; compare after every step",
     verify_command},
    {"selftest", "Train short runs whose weights are published; say whether this machine gives the same",
     selftest_command},
    {"gradcheck", "Compare the backward pass with central differences of the loss in double precision",
     gradcheck_command},
    {"sanity",
     "Check a configuration and its data before training: first loss, labels, duplicates, gradient and more",
     sanity_command},
    {"trace-step", "Write every array of one training step as a NumPy file, checked against double precision",
     trace_step_command, false},
    {"compare", "Compare your own program's step with one computed here; name the first wrong array and why",
     compare_command, false},
    {"sweep", "Train with many hyperparameters, grid or random search; write a table of the trials",
     sweep_command},
    {"inspect",
     "Say what a file or folder is, and what is in it: weights, checkpoint, data, configuration, run",
     inspect_command, false},
    {"receipt",
     "Say what a finished run is, in a line to hand in; check its files, and on request train it again",
     receipt_command},
    {"configs", "List the configurations that come with the program, with a line each", configs_command,
     false},
    {"activations",
     "Print every activation function and its slope as a table (launch/plot --activations draws it)",
     activations_command, false},
    {"predict", "Measure steps and sums; say how long an epoch would take on up to thousands of ranks",
     predict_command},
    {"doctor",
     "Measure what the job has to work with: kernels, cores, ranks, allreduce, data; say what to change",
     doctor_command, false},
};

constexpr const char* kIntroduction =
    "Lockstep trains neural networks on any number of MPI ranks.\n"
    "Start it under mpirun (or launch/run) for several ranks; by itself it is one.";

constexpr const char* kExamples = R"(Examples:
  lockstep train configs/cifar10_dense100.toml
  mpirun -np 4 lockstep train configs/cifar10_mlp.toml --set train.epochs=20 --out runs/mlp
  lockstep eval runs/mlp
  mpirun -np 3 lockstep verify configs/cifar10_mlp.toml --steps 50
  lockstep gradcheck configs/courses/spiral.toml
  lockstep compare configs/courses/spiral.toml mine.npz
  mpirun -np 2 lockstep sweep configs/sweeps/ex6_depth_and_width.toml

Exit codes: 0 done; 1 verify, selftest, gradcheck, sanity or compare found a difference; 2 the command line or
configuration is wrong, or training diverged; 3 the data is wrong or missing; 4 a checkpoint or weight file is wrong;
5 a rank or the network failed; 130, 143 interrupted, state saved.)";

// What is wrong with the command line, and what to do about it.
std::string explain(CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  const std::string first = argc > 1 ? argv[1] : "";
  if (first.empty() || first.starts_with('-') || std::ranges::find(names, first) == names.end()) {
    const auto meant = nearest(first, names);
    if (first.ends_with(".toml"))
      return fmt::format("{0} is not a subcommand, did you mean lockstep train {0}?", first);
    if (!first.empty() && meant)
      return fmt::format("{} is not a subcommand, did you mean {}?", first, *meant);
    const std::string found = first.empty() ? "no subcommand" : fmt::format("{} is not a subcommand", first);
    return fmt::format("{}, expected one of {} (lockstep --help shows the usage)", found,
                       fmt::join(names, ", "));
  }
  const CLI::App& command = *app.get_subcommand(first);
  const std::string hint = fmt::format("(lockstep {} --help shows the usage)", first);
  const std::vector<std::string> unexpected = app.remaining(/*recurse=*/true);
  if (unexpected.empty()) return fmt::format("{}: {} {}", first, error.what(), hint);
  const std::string& word = unexpected.front();
  for (int i = 2; i + 2 < argc; ++i)
    if (std::string_view(argv[i]) == "--set" && word == argv[i + 2])
      return fmt::format("--set {1} {0}: expected --set {1}={0}", word, argv[i + 1]);
  if (word == "-np" || word == "-n")
    return fmt::format("{} has no option {}, mpirun has: launch/run -np P {}", first, word, first);
  if (!word.starts_with('-')) return fmt::format("{}: {} is one argument too many {}", first, word, hint);
  const auto without_dashes = [](const std::string& name) {
    return name.substr(std::min(name.find_first_not_of('-'), name.size()));
  };
  std::vector<std::string> options;
  for (const CLI::Option* option : command.get_options())
    if (!option->get_positional()) options.push_back(without_dashes(option->get_name()));
  if (const auto meant = nearest(without_dashes(word), options))
    return fmt::format("{} has no option {}, did you mean --{}?", first, word, *meant);
  const bool settable = std::ranges::find(options, "set") != options.end();
  std::vector<std::string> keys;
  for (const config::Key& key : config::keys_of_runs()) keys.push_back(key.name);
  if (const auto key = config::synonym(word, keys); key && settable)
    return fmt::format("{} has no option {}, did you mean --set {}=VALUE?", first, word, *key);
  if (const std::string instead = config::instead_of(word); !instead.empty())
    return fmt::format("{} has no option {}: {}", first, word, instead);
  return fmt::format("{} has no option {}{} {}", first, word,
                     settable ? "; values of the configuration are changed by --set section.key=value" : "",
                     hint);
}

}  // namespace

CommandLine parse(int argc, char** argv) {
  CLI::App app(kIntroduction, "lockstep");
  app.set_version_flag("--version", run::version_text);
  app.require_subcommand(1);
  std::vector<std::pair<const CLI::App*, CommandLine>> commands;
  for (const Command& command : kCommands) {
    CLI::App* const subcommand = app.add_subcommand(command.name, command.help);
    Options options(*subcommand, argv[0]);
    commands.emplace_back(subcommand, CommandLine{command.ends_in_order, command.declare(options), {}, {}});
  }
  app.footer(kExamples);  // last: subcommands take over the footer that is there when they are added

  CommandLine line;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      line.mistake = explain(app, error, argc, argv);
      return line;
    }
    std::ostringstream text;  // --help, --version
    app.exit(error, text, text);
    line.text = text.str();
    return line;
  }
  for (const auto& [subcommand, asked] : commands)
    if (subcommand->parsed()) line = asked;
  return line;
}

}  // namespace lockstep::cli
