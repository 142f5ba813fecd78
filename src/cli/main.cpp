// The program's door: command line, exit codes, and the one place that prints errors.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

#include "base/error.h"
#include "base/interruption.h"
#include "base/version.h"
#include "cli/commands.h"
#include "comm/session.h"

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

Exit codes: 0 done; 1 verify or gradcheck found a difference; 2 the command line or configuration is wrong,
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

int run(const lockstep::comm::Session& session, int argc, char** argv) {
  CLI::App app(kIntroduction, "lockstep");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("lockstep ") + lockstep::kVersion);
  app.require_subcommand(1);

  cli::TrainArguments train;
  CLI::App* train_command =
      app.add_subcommand("train", "Train a network; write metrics and weights to a run folder");
  add_config_options(*train_command, train.config, train.overrides, "A TOML file, such as one of configs/");
  train_command->add_option("--out", train.out,
                            "The run folder (default: runs/ and the configuration's name)");
  train_command
      ->add_option("--resume", train.resume,
                   "Go on from a checkpoint: a file, or latest, the newest whole one in the run folder")
      ->take_last();
  train_command->add_option("--trace", train.trace,
                            "Write what every rank did when, as a timeline for Chrome's tracing or Perfetto");
  train_command->add_flag("--quiet", train.quiet, "Print nothing but errors");
  train_command->footer(
      "The run folder gets metrics.csv (a row an epoch), summary.json, model.safetensors (as PyTorch's\n"
      "nn.Sequential of Linear layers has it), config.toml, and with log.steps = true steps.csv.");

  cli::EvalArguments eval;
  CLI::App* eval_command =
      app.add_subcommand("eval", "Loss and accuracy of saved weights on training and test set");
  add_config_options(*eval_command, eval.config, eval.overrides,
                     "A TOML file, or the folder of a finished run");
  eval_command->add_option("--model", eval.model,
                           "Weights in safetensors format (default: the run folder's, else train.init_from)");

  eval_command->add_flag(
      "--grid", eval.grid,
      "Write grid.csv and points.csv: what the network says over the plane, or along the line, "
      "and the samples");
  eval_command->add_flag(
      "--confusion", eval.confusion,
      "Print each class's accuracy and write confusion.csv, of the test set if there is one");
  eval_command->add_flag(
      "--predictions", eval.predictions,
      "Write predictions.csv: the network's outputs for each sample of the test set, or of the "
      "training set if there is none");
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

  CLI::App* activations_command = app.add_subcommand(
      "activations",
      "Print every activation function and its slope as a table (launch/plot --activations draws it)");

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
    const auto named = app.get_subcommands(
        [&](const CLI::App* command) { return argc > 1 && command->get_name() == argv[1]; });
    const bool unknown = argc > 1 && argv[1][0] != '-' && named.empty();
    const std::string what =
        unknown
            ? std::string(argv[1]) +
                  " is no subcommand, expected train, eval, verify, gradcheck, sweep, activations or doctor"
            : std::string(error.what());
    if (speaks) std::fprintf(stderr, "lockstep: %s (lockstep --help shows the usage)\n", what.c_str());
    return static_cast<int>(ExitCode::kConfig);
  }
  if (train_command->parsed()) return cli::train(session, train);
  if (eval_command->parsed()) cli::eval(session, eval);
  if (verify_command->parsed()) return cli::verify(session, verify) ? 0 : 1;
  if (activations_command->parsed()) cli::activations(session);
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
  } catch (const lockstep::comm::AgreedError& error) {
    if (rank == 0) std::fprintf(stderr, "lockstep: %s\n", error.what());
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
    lockstep::note_signals();  // before MPI spends time on starting
  try {
    lockstep::comm::Session session(argc, argv);
    return run_and_report(session, argc, argv);
  } catch (const lockstep::Error& error) {  // MPI does not start
    std::fprintf(stderr, "lockstep: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
