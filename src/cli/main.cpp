// The program's door: command line, exit codes, and the one place that prints errors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "comm/session.h"
#include "config/keys.h"
#include "config/synonyms.h"
#include "liveness/interruption.h"
#include "run/provenance.h"
#include "scaling/scaling_model.h"

namespace {

using lockstep::ExitCode;
namespace cli = lockstep::cli;

constexpr const char* kIntroduction =
    "Lockstep trains neural networks on any number of MPI ranks.\n"
    "Start it under mpirun (or launch/run) for several ranks; by itself it is one.";

constexpr const char* kExamples = R"(Examples:
  lockstep train configs/cifar10_dense100.toml
  mpirun -np 4 lockstep train configs/cifar10_mlp.toml --set train.epochs=20 --out runs/mlp
  lockstep eval runs/mlp
  mpirun -np 3 lockstep verify configs/cifar10_mlp.toml --steps 50
  lockstep gradcheck configs/courses/spiral.toml
  mpirun -np 2 lockstep sweep configs/sweeps/ex6_depth_and_width.toml

Exit codes: 0 done; 1 verify, selftest or gradcheck found a difference; 2 the command line or configuration is wrong,
or training diverged; 3 the data is wrong or missing; 4 a checkpoint or weight file is wrong;
5 a rank or the network failed; 130, 143 interrupted, state saved.)";

void add_config_options(CLI::App& command, std::string& config, std::vector<std::string>& overrides,
                        const char* config_help) {
  command.add_option("CONFIG", config, config_help)->required();
  command
      .add_option(
          "--set", overrides,
          "SECTION.KEY=VALUE replaces a value of the configuration, such as --set train.learning_rate=0.1 "
          "or --set model.hidden=[512,256]; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
}

// What is wrong with the command line, and what to do about it.
std::string explain(CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  const std::string first = argc > 1 ? argv[1] : "";
  if (first.empty() || first.starts_with('-') || std::ranges::find(names, first) == names.end()) {
    const auto meant = lockstep::nearest(first, names);
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
  if (const auto meant = lockstep::nearest(without_dashes(word), options))
    return fmt::format("{} has no option {}, did you mean --{}?", first, word, *meant);
  const bool settable = std::ranges::find(options, "set") != options.end();
  std::vector<std::string> keys;
  for (const lockstep::config::Key& key : lockstep::config::keys_of_runs()) keys.push_back(key.name);
  if (const auto key = lockstep::config::synonym(word, keys); key && settable)
    return fmt::format("{} has no option {}, did you mean --set {}=VALUE?", first, word, *key);
  if (const std::string instead = lockstep::config::instead_of(word); !instead.empty())
    return fmt::format("{} has no option {}: {}", first, word, instead);
  return fmt::format("{} has no option {}{} {}", first, word,
                     settable ? "; values of the configuration are changed by --set section.key=value" : "",
                     hint);
}

int run(const lockstep::comm::Session& session, int argc, char** argv) {
  CLI::App app(kIntroduction, "lockstep");
  app.footer(kExamples);
  app.set_version_flag("--version", lockstep::run::version_text);
  app.require_subcommand(1);

  cli::TrainArguments train;
  CLI::App* train_command =
      app.add_subcommand("train", "Train a network; write metrics and weights to a run folder");
  add_config_options(*train_command, train.config, train.overrides, "A TOML file, such as one of configs/");
  train_command->add_option("--out", train.out,
                            "The run folder (default: runs/ and the configuration's name)");
  train_command
      ->add_option(
          "--resume", train.resume,
          "Go on from a checkpoint: a file; latest, the newest whole one in the run folder; or auto, "
          "the latest if there is one, else as without this option")
      ->take_all()
      ->allow_extra_args(false);
  train_command->add_option("--resume-from", train.resume_from,
                            "Begin a new run, which may have other settings, with the weights and the "
                            "momentum of a checkpoint, or of "
                            "the newest one in a run folder");
  train_command->add_flag("--overwrite", train.overwrite,
                          "Replace the run that the run folder holds, as soon as this one has a checkpoint");
  train_command->add_option("--trace", train.trace,
                            "Write what every rank did when, as a timeline for Chrome's tracing or Perfetto");
  train_command->add_flag("--quiet", train.quiet, "Print nothing but errors");
  train_command->footer(
      "The run folder gets metrics.csv (a row per epoch), summary.json, model.safetensors (as PyTorch's\n"
      "nn.Sequential of Linear layers has it), config.toml, and with log.steps = true steps.csv.");

  cli::EvalArguments eval;
  CLI::App* eval_command =
      app.add_subcommand("eval", "Loss and accuracy of saved weights on training and test set");
  add_config_options(*eval_command, eval.config, eval.overrides,
                     "A TOML file, or the folder of a finished run");
  eval_command->add_option(
      "--model", eval.model,
      "Weights in safetensors format, a checkpoint, or of the run folder its best or latest one "
      "(default: the run folder's model, else its latest; else train.init_from)");

  eval_command->add_flag(
      "--grid", eval.grid,
      "Write grid.csv and points.csv: what the network says over the plane, or along the line, "
      "and the samples");
  eval_command->add_flag(
      "--confusion", eval.confusion,
      "Print each class's accuracy and write confusion.csv, of the test set if there is one");
  eval_command->add_flag(
      "--predictions", eval.predictions,
      "Write predictions.csv: for each sample of the test set, or of the training set if there is none, its "
      "row "
      "in the file, its class or value, what the network takes it for, probabilities and outputs");
  eval_command->add_option(
      "--predictions-of", eval.predictions_of,
      "Write predictions.csv of the samples of a CSV file, which needs no target column");
  eval_command->add_flag("--weights", eval.weights, "Write weights.ppm: the first layer's weights as images");
  eval_command->add_option(
      "--out", eval.out,
      "Where the tables go (default: the run folder, else runs/ and the configuration's name)");
  eval_command->footer("launch/plot draws the tables of a run folder, launch/report makes a page of it.");

  cli::VerifyArguments verify;
  CLI::App* verify_command = app.add_subcommand(
      "verify",
      "Train on all ranks and, side by side, as one process on one thread; compare after every step");
  add_config_options(*verify_command, verify.config, verify.overrides,
                     "A TOML file, such as one of configs/");
  verify_command->add_option("--steps", verify.steps, "How many steps to train (default: 20)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000000000}));
  verify_command
      ->add_option("--tolerance", verify.tolerance,
                   "With reduce.mode = \"float\": the drift to accept, relative to a tensor's largest weight "
                   "(default: 0)")
      ->check(CLI::NonNegativeNumber);
  verify_command->footer("Exit codes: 0 identical, or within the tolerance; 1 not.");

  cli::SelftestArguments selftest;
  CLI::App* selftest_command = app.add_subcommand(
      "selftest", "Train short runs whose weights are published; say whether this machine gives the same");
  selftest_command->add_option("RUN", selftest.names, "Names of runs, such as spiral (default: all of them)");
  selftest_command->add_flag("--whole", selftest.whole,
                             "Train every run to its end (default: its first 20 steps)");
  selftest_command->add_option("--hashes", selftest.hashes,
                               "Compare with the list of this file, instead of the program's own");
  selftest_command->add_option("--write", selftest.write,
                               "Compare nothing: write the list with the weights that this program gives");
  selftest_command->footer(
      "Every kind of kernels that the processor can run is tried, or the one that LOCKSTEP_KERNELS names.\n"
      "Exit codes: 0 all weights are the published ones; 1 some are not.");

  cli::GradcheckArguments gradcheck;
  CLI::App* gradcheck_command = app.add_subcommand(
      "gradcheck", "Compare the backward pass with central differences of the loss in double precision");
  add_config_options(*gradcheck_command, gradcheck.config, gradcheck.overrides,
                     "A TOML file, such as one of configs/");
  gradcheck_command
      ->add_option("--samples", gradcheck.samples, "About how many samples to take (default: 16)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000000}));
  gradcheck_command
      ->add_option("--elements", gradcheck.elements, "How many elements of each tensor (default: 30)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000000000}));
  gradcheck_command
      ->add_option("--tolerance", gradcheck.tolerance,
                   "The relative error to accept, of an element at least a tenth of its tensor's largest "
                   "(default: 0.0001)")
      ->check(CLI::NonNegativeNumber);
  gradcheck_command->footer("Exit codes: 0 every tensor agrees; 1 one does not.");

  cli::SweepArguments sweep;
  sweep.program = argv[0];
  CLI::App* sweep_command = app.add_subcommand(
      "sweep", "Train with many hyperparameters, grid or random search; write a table of the trials");
  sweep_command->add_option("SWEEP", sweep.sweep, "A TOML file, such as one of configs/sweeps/")->required();
  sweep_command->add_option("--out", sweep.out, "Where the trials go (default: runs/ and the sweep's name)");
  sweep_command
      ->add_option(
          "--ranks-per-trial", sweep.ranks_per_trial,
          "Ranks that train a trial together (default: 1); the job's ranks form groups of so many, and "
          "those left over join one: 3 ranks with 2 a trial are one group of 3")
      ->check(CLI::Range(1, 1000000));
  sweep_command->footer(
      "The folder gets trials.csv, best first, and a file for each run of a trial, with a seed and a fold. "
      "The same\n"
      "command again goes on where it was interrupted. The folder must be one that all ranks see.");

  std::string path;
  CLI::App* inspect_command = app.add_subcommand(
      "inspect",
      "Say what a file or folder is, and what is in it: weights, checkpoint, data, configuration, run");
  inspect_command
      ->add_option(
          "PATH", path,
          "A safetensors file, a CSV file, a TOML file, the folder of a run or one with CIFAR-10's files")
      ->required();

  std::string folder;
  CLI::App* configs_command =
      app.add_subcommand("configs", "List the configurations that come with the program, with a line each");
  configs_command->add_option("DIR", folder, "Those of this folder instead");

  CLI::App* activations_command = app.add_subcommand(
      "activations",
      "Print every activation function and its slope as a table (launch/plot --activations draws it)");

  cli::PredictArguments predict;
  CLI::App* predict_command = app.add_subcommand(
      "predict", "Measure steps and sums; say how long an epoch would take on up to thousands of ranks");
  add_config_options(*predict_command, predict.config, predict.overrides,
                     "A TOML file, such as one of configs/");
  predict_command
      ->add_option("--network", predict.networks,
                   fmt::format("Between hosts: {}; may be a list (default: this job's, else 25gbit)",
                               lockstep::scaling::kNetworkNames))
      ->delimiter(',');
  predict_command
      ->add_option("--at", predict.at,
                   "Layouts to predict, as RANKSxTHREADS (default: the best of 1, 2, 4, ... cores)")
      ->delimiter(',');
  predict_command->add_option("--most", predict.most, "The most cores (default: 4096)")
      ->check(CLI::Range(1, 1 << 20));
  predict_command
      ->add_option("--cores-per-host", predict.cores_per_host,
                   "Cores of a host (default: as many as were measured together)")
      ->check(CLI::Range(1, 4096));
  predict_command->add_flag("--weak", predict.weak,
                            "Every rank has the configuration's batch: the global one grows with the ranks");
  predict_command->add_option("--calibration", predict.calibration,
                              "A file of measurements: read if it is there, and this job's added");
  predict_command->add_flag("--no-measure", predict.no_measure, "The calibration's measurements are enough");
  predict_command->add_option("--csv", predict.csv, "Write the predictions as a table, too");
  predict_command->footer(
      "Run it as the job would run on one host, such as launch/run -np 2 predict CONFIG; once for each\n"
      "layout of ranks and threads, with one --calibration file, to have them compared.");

  CLI::App* doctor_command = app.add_subcommand(
      "doctor",
      "Measure what the job has to work with: kernels, cores, ranks, allreduce, data; say what to change");

  const bool speaks = session.world().rank() == 0;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      if (speaks) app.exit(error);
      return 0;
    }
    if (speaks) std::fprintf(stderr, "lockstep: %s\n", explain(app, error, argc, argv).c_str());
    return static_cast<int>(ExitCode::kConfig);
  }
  session.require_all_ranks();
  if (train_command->parsed()) return cli::train(session, train);
  if (eval_command->parsed()) cli::eval(session, eval);
  if (verify_command->parsed()) return cli::verify(session, verify) ? 0 : 1;
  if (selftest_command->parsed()) return cli::selftest(session, selftest) ? 0 : 1;
  if (inspect_command->parsed()) cli::inspect(session, path);
  if (configs_command->parsed()) cli::configs(session, folder);
  if (activations_command->parsed()) cli::activations(session);
  if (predict_command->parsed()) cli::predict(session, predict);
  if (doctor_command->parsed()) cli::doctor(session);
  if (sweep_command->parsed()) cli::sweep(session, sweep);
  if (gradcheck_command->parsed()) return cli::gradcheck(session, gradcheck) ? 0 : 1;
  return 0;
}

// Runs the command. Its error, where every rank has it, is printed once, and all ranks end in the ordinary
// way; where only this rank has it, the job is aborted.
int run_and_report(lockstep::comm::Session& session, int argc, char** argv) {
  const int rank = session.world().rank();
  int code = static_cast<int>(ExitCode::kRank);
  try {
    code = run(session, argc, argv);
    session.finalize();
    return code;
  } catch (const lockstep::comm::CollectiveError& error) {
    if (rank == 0 && *error.what() != '\0') std::fprintf(stderr, "lockstep: %s\n", error.what());
    session.finalize();
    return static_cast<int>(error.code());
  } catch (const lockstep::Error& error) {
    std::fprintf(stderr, "lockstep: rank %d: %s\n", rank, error.what());
    code = static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "lockstep: rank %d: out of memory\n", rank);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lockstep: rank %d: %s\n", rank, error.what());
  }
  session.abort(code);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "train")
    lockstep::liveness::note_signals();  // before MPI spends time on starting
  try {
    lockstep::comm::Session session(argc, argv);
    return run_and_report(session, argc, argv);
  } catch (const lockstep::Error& error) {  // MPI does not start
    std::fprintf(stderr, "lockstep: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
