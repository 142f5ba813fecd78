#include <memory>

#include "cli/commands.h"
#include "run/eval.h"

namespace lockstep::cli {

Run eval_command(Options& options) {
  const auto eval = std::make_shared<run::EvalArguments>();
  options.configuration(eval->config, eval->overrides, "A TOML file, or the folder of a finished run");
  options.text("--model", eval->model,
               "Weights in safetensors format, a checkpoint, or of the run folder its best or latest one "
               "(default: the run folder's model, else its latest; else train.init_from)");
  options.flag("--grid", eval->grid,
               "Write grid.csv and points.csv: what the network says over the plane, or along the line, "
               "and the samples");
  options.flag("--confusion", eval->confusion,
               "Print each class's accuracy and write confusion.csv, of the test set if there is one");
  options.flag(
      "--predictions", eval->predictions,
      "Write predictions.csv: for each sample of the test set, or of the training set if there is none, its "
      "row "
      "in the file, its class or value, what the network takes it for, probabilities and outputs");
  options.text("--predictions-of", eval->predictions_of,
               "Write predictions.csv of the samples of a CSV file, which needs no target column");
  options.flag("--weights", eval->weights,
               "Write weights.ppm: the first layer's weights, or filters, as images");
  options.flag("--mistakes", eval->mistakes,
               "Write mistakes.csv and mistakes.ppm: the 25 most confident mistakes of a network on images");
  options.flag("--network", eval->network,
               "Write network.csv: each layer, the shape of its outputs and its parameters");
  options.text("--out", eval->out,
               "Where the tables go (default: the run folder, else runs/ and the configuration's name)");
  options.footer("launch/plot draws the tables of a run folder, launch/report makes a page of it.");
  return [eval](run::Job& job) {
    run::eval(job, *eval);
    return 0;
  };
}

}  // namespace lockstep::cli
