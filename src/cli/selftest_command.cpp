#include <memory>

#include "cli/commands.h"
#include "run/selftest.h"

namespace lockstep::cli {

Run selftest_command(Options& options) {
  const auto selftest = std::make_shared<run::SelftestArguments>();
  options.arguments("RUN", selftest->names, "Names of runs, such as spiral (default: all of them)");
  options.flag("--whole", selftest->whole, "Train every run to its end (default: its first 20 steps)");
  options.text("--hashes", selftest->hashes,
               "Compare with the list of this file, instead of the program's own");
  options.text("--write", selftest->write,
               "Compare nothing: write the list with the weights that this program gives");
  options.footer(
      "Every kind of kernels that the processor can run is tried, or the one that LOCKSTEP_KERNELS names.\n"
      "Exit codes: 0 all weights are the published ones; 1 some are not.");
  return [selftest](run::Job& job) { return run::selftest(job, *selftest) ? 0 : 1; };
}

}  // namespace lockstep::cli
