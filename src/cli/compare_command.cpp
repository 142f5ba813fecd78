#include <memory>
#include <utility>

#include "cli/commands.h"
#include "run/compare.h"

namespace lockstep::cli {

Run compare_command(Options& options) {
  const auto compare = std::make_shared<run::CompareArguments>();
  options.argument("CONFIG", compare->choice.config,
                   "A TOML file, such as one of configs/; left out with --against");
  options.optional_argument("MINE", compare->mine,
                            "The arrays of your step, as numpy.savez writes them: all, or some");
  options.overrides(compare->choice.overrides);
  declare_step(options, compare->choice);
  options.text(
      "--against", compare->against,
      "A file that trace-step wrote, to take the step from: neither configuration nor data are needed then");
  options.flag("--json", compare->json, "Print one JSON object, for a program");
  options.tolerance(
      "--tolerance", compare->tolerance,
      "The error to accept, relative to an array's largest number (default: 3e-5 of float32 and float64, "
      "0.02 of float16)");
  options.footer(
      "Names are those of trace-step's file, or short ones: X, y, W1, b1, z1, a1, dz1, da1, dW1, db1, vW1, "
      "W1_new, ...\n"
      "Example: lockstep trace-step configs/courses/circle.toml --out step.npz; then in Python\n"
      "  step = numpy.load(\"step.npz\"); X, W1, b1 = step[\"inputs\"], step[\"layers.0.weight\"], "
      "step[\"layers.0.bias\"]\n"
      "  numpy.savez(\"mine.npz\", z1=X @ W1.T + b1)\n"
      "and lockstep compare configs/courses/circle.toml mine.npz\n"
      "Exit codes: 0 all arrays agree; 1 one is wrong; 3 the file is wrong.");
  return [compare](run::Job& job) {
    if (compare->mine.empty() && !compare->against.empty()) std::swap(compare->mine, compare->choice.config);
    return run::compare(job, *compare) ? 0 : 1;
  };
}

}  // namespace lockstep::cli
