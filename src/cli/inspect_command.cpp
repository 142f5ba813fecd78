#include <memory>

#include "cli/commands.h"
#include "run/inspect.h"

namespace lockstep::cli {

Run inspect_command(Options& options) {
  const auto path = std::make_shared<std::string>();
  options.argument(
      "PATH", *path,
      "A safetensors file, a CSV file, a TOML file, the folder of a run or one with CIFAR-10's files");
  return [path](run::Job& job) {
    run::inspect(job, *path);
    return 0;
  };
}

}  // namespace lockstep::cli
