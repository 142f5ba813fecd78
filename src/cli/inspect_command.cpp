#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "run/inspect.h"

namespace lockstep::cli {

Run inspect_command(Options& options) {
  struct Arguments {
    std::string path;
    std::vector<std::string> overrides;
  };
  const auto arguments = std::make_shared<Arguments>();
  options.argument(
      "PATH", arguments->path,
      "A safetensors, CSV, TOML or .npz file, the folder of a run or one with the files of a data set");
  options.repeated("--set", arguments->overrides,
                   "SECTION.KEY=VALUE replaces a value of the configuration; may be repeated");
  options.footer(
      "Examples:\n"
      "  lockstep inspect runs/cifar10_mlp\n"
      "  lockstep inspect configs/cifar10_mlp.toml --set model.hidden=[256]");
  return [arguments](run::Job& job) {
    run::inspect(job, arguments->path, arguments->overrides);
    return 0;
  };
}

}  // namespace lockstep::cli
