#include <memory>

#include "cli/commands.h"
#include "run/trace_step.h"

namespace lockstep::cli {

void declare_step(Options& options, run::StepChoice& choice) {
  options.number("--step", choice.step, 1, 1000000000,
                 "Which step of the training, from 1 (default: the first)");
  options.number("--samples", choice.samples, 1, 1000000,
                 "About how many samples in its batch (default: train.batch_size)");
}

Run trace_step_command(Options& options) {
  const auto trace = std::make_shared<run::TraceStepArguments>();
  options.configuration(trace->choice.config, trace->choice.overrides,
                        "A TOML file, such as one of configs/");
  declare_step(options, trace->choice);
  options.text("--out", trace->out, "The file to write (default: step.npz)");
  options.footer(
      "Example: lockstep trace-step configs/courses/circle.toml --samples 16 --out step.npz\n"
      "In Python: step = numpy.load(\"step.npz\"); print(step[\"README\"])\n"
      "Exit codes: 0 written; 1 an array is not what double precision gives.");
  return [trace](run::Job& job) { return run::trace_step(job, *trace) ? 0 : 1; };
}

}  // namespace lockstep::cli
