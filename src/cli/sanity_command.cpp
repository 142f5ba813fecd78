#include <memory>

#include "cli/commands.h"
#include "run/sanity.h"

namespace lockstep::cli {

Run sanity_command(Options& options) {
  const auto sanity = std::make_shared<run::SanityArguments>();
  options.configuration(sanity->config, sanity->overrides, "A TOML file, such as one of configs/");
  options.text("--out", sanity->out, "A folder for sanity.json, which launch/plot draws (default: none)");
  options.tolerance("--tolerance", sanity->tolerance,
                    "The gradient's relative error to accept (default: 0.0001)");
  options.flag("--json", sanity->json, "Print JSON, for another program");
  options.footer(
      "Example:\n"
      "  lockstep sanity configs/cifar10_cnn.toml --out runs/sanity\n"
      "A line for each check: what was found and, where that is not as it should be, what was expected.\n"
      "Exit codes: 0 all checks hold; 1 one does not.");
  return [sanity](run::Job& job) { return run::sanity(job, *sanity) ? 0 : 1; };
}

}  // namespace lockstep::cli
