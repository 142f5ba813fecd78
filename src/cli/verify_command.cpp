#include <memory>

#include "cli/commands.h"
#include "run/verify.h"

namespace lockstep::cli {

Run verify_command(Options& options) {
  const auto verify = std::make_shared<run::VerifyArguments>();
  options.configuration(verify->config, verify->overrides, "A TOML file, such as one of configs/");
  options.number("--steps", verify->steps, 1, 1000000000, "How many steps to train (default: 20)");
  options.tolerance("--tolerance", verify->tolerance,
                    "With reduce.mode = \"float\": the drift to accept, relative to a layer's largest weight "
                    "(default: 0)");
  options.footer("Exit codes: 0 identical, or within the tolerance; 1 not.");
  return [verify](run::Job& job) { return run::verify(job, *verify) ? 0 : 1; };
}

}  // namespace lockstep::cli
