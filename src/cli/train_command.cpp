#include <memory>

#include "cli/commands.h"
#include "run/train.h"

namespace lockstep::cli {

Run train_command(Options& options) {
  struct Values {
    run::TrainArguments train;
    bool quiet = false;
    std::string log_format;
  };
  const auto values = std::make_shared<Values>();
  run::TrainArguments& train = values->train;
  options.configuration(train.config, train.overrides, "A TOML file, such as one of configs/");
  options.text("--out", train.out, "The run folder (default: runs/ and the configuration's name)");
  options.repeated(
      "--resume", train.resume,
      "Go on from a checkpoint: a file; latest, the newest whole one in the run folder; or auto, "
      "the latest if there is one, else as without this option");
  options.text("--resume-from", train.resume_from,
               "Begin a new run, which may have other settings, with the weights and the "
               "momentum of a checkpoint, or of "
               "the newest one in a run folder");
  options.flag("--overwrite", train.overwrite,
               "Replace the run that the run folder holds, as soon as this one has a checkpoint");
  options.text("--trace", train.trace,
               "Write what every rank did when, as a timeline for Chrome's tracing or Perfetto");
  options.flag("--quiet", values->quiet, "Print nothing but errors");
  options.choice(
      "--log-format", values->log_format, {"text", "json"},
      "What is printed: a table, or a line of JSON for each event: start, resume, epoch, checkpoint, "
      "warning, end");
  options.footer(
      "The run folder gets metrics.csv (a row per epoch), summary.json, model.safetensors (as PyTorch's\n"
      "nn.Sequential has it), config.toml, and with log.steps = true steps.csv,\n"
      "with log.gradients gradients.csv, with log.layers layers.csv, with log.film film.csv, with log.json\n"
      "events.jsonl (what --log-format json prints), with log.tensorboard event files for TensorBoard.");
  return [values](run::Job& job) {
    const bool json = values->log_format == "json";
    if (values->quiet || json) job.console.mute();
    values->train.json_to_stdout = json && !values->quiet;
    return run::train(job, values->train);
  };
}

}  // namespace lockstep::cli
