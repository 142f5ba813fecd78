#include <memory>

#include "cli/commands.h"
#include "run/export.h"

namespace lockstep::cli {

Run export_command(Options& options) {
  const auto arguments = std::make_shared<run::ExportArguments>();
  options.configuration(arguments->config, arguments->overrides, "A TOML file, or the folder of a run");
  options.text("--onnx", arguments->onnx,
               "The file to write, in ONNX format: the network with its normalisation, so that it takes the "
               "data set's own "
               "numbers, such as pixels from 0 to 255");
  options.text("--model", arguments->model,
               "Weights in safetensors format, a checkpoint, or of the run folder its best or latest one "
               "(default: the run folder's model, else its latest; else train.init_from)");
  return [arguments](run::Job& job) {
    run::export_network(job, *arguments);
    return 0;
  };
}

}  // namespace lockstep::cli
