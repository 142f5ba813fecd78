#include "run/trace_step.h"

#include <fmt/format.h>

#include "base/version.h"

namespace lockstep::run {

bool trace_step(Job& job, const TraceStepArguments& arguments) {
  RecordedStep step = record_step(job, arguments.choice, "trace-step");
  report::Console& console = job.console;
  console.line(fmt::format("lockstep {}: step {} of {}, {} samples, loss {:.9g}", kVersion,
                           step.trace.start.step + 1, step.name, step.trace.start.rows(),
                           step.trace.arrays.loss));
  train::StepRules rules = step.rules();
  rules.progress = &job.progress;
  const train::StepArrays expected = train::step_in_double(rules, step.trace.start, &step.trace.arrays);
  const std::vector<train::Deviation> deviations = train::deviations(rules, step.trace, expected);
  console.line(fmt::format("{:<24}{:>28}  {}", "arrays", "difference from float64", "largest in"));
  const train::Deviation* wrong = nullptr;
  for (const train::Deviation& deviation : deviations) {
    console.line(fmt::format("{:<24}{:>28.1e}  {}", deviation.kind, deviation.largest, deviation.where));
    if (wrong == nullptr && !(deviation.largest <= train::kRounding)) wrong = &deviation;
  }
  if (wrong != nullptr) {
    console.line(fmt::format(
        "{} is not what double precision gives: {:.1e} apart, more than rounding explains ({:g}); "
        "{} is not written",
        wrong->where, wrong->largest, train::kRounding, arguments.out));
    return false;
  }
  // What training has no need of.
  for (std::size_t k = 0; k < expected.gradients.size(); ++k)
    if (step.trace.arrays.gradients[k].empty()) step.trace.arrays.gradients[k] = expected.gradients[k];
  const std::size_t arrays = write_step(arguments.out, step, step_readme(step, deviations));
  console.line(
      fmt::format("wrote {}: {} arrays; its README, numpy.load(\"{}\")[\"README\"], says which is which",
                  arguments.out, arrays, arguments.out));
  return true;
}

}  // namespace lockstep::run
