#include <memory>

#include "cli/commands.h"
#include "run/sweep.h"

namespace lockstep::cli {

Run sweep_command(Options& options) {
  const auto sweep = std::make_shared<run::SweepArguments>();
  sweep->program = options.program();
  options.argument("SWEEP", sweep->sweep, "A TOML file, such as one of configs/sweeps/");
  options.text("--out", sweep->out, "Where the trials go (default: runs/ and the sweep's name)");
  options.number(
      "--ranks-per-trial", sweep->ranks_per_trial, 1, 1000000,
      "Ranks that train a trial together (default: 1); the job's ranks form groups of so many, and "
      "those left over join one: 3 ranks with 2 a trial are one group of 3");
  options.footer(
      "The folder gets trials.csv, best first, and a file for each run of a trial, with a seed and a fold. "
      "The same\n"
      "command again goes on where it was interrupted. The folder must be one that all ranks see.");
  return [sweep](run::Job& job) {
    run::sweep(job, *sweep);
    return 0;
  };
}

}  // namespace lockstep::cli
