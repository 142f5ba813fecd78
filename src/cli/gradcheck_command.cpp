#include <memory>

#include "cli/commands.h"
#include "run/gradcheck.h"

namespace lockstep::cli {

Run gradcheck_command(Options& options) {
  const auto gradcheck = std::make_shared<run::GradcheckArguments>();
  options.configuration(gradcheck->config, gradcheck->overrides, "A TOML file, such as one of configs/");
  options.number("--samples", gradcheck->samples, 1, 1000000, "About how many samples to take (default: 16)");
  options.number("--elements", gradcheck->elements, 1, 1000000000,
                 "How many elements of each tensor (default: 30)");
  options.tolerance("--tolerance", gradcheck->tolerance,
                    "The relative error to accept, of an element at least a tenth of its tensor's largest "
                    "(default: 0.0001)");
  options.footer("Exit codes: 0 every tensor agrees; 1 one does not.");
  return [gradcheck](run::Job& job) { return run::gradcheck(job, *gradcheck) ? 0 : 1; };
}

}  // namespace lockstep::cli
