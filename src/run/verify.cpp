#include "run/verify.h"

#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/version.h"
#include "run/experiment.h"
#include "run/setup.h"
#include "train/verification.h"

namespace lockstep::run {
namespace {

std::string describe(const train::ArenaDifference& difference) {
  if (difference.identical) return "the loss alone differs";
  return fmt::format("first in {}, at most {} ULPs or {:.3g} relative", difference.first_tensor,
                     difference.ulps, difference.relative);
}

// Of float sums, whose weights near 0 may be any number of ULPs apart.
std::string drift_of(const train::ArenaDifference& difference) {
  if (difference.identical) return "the loss alone differs";
  return fmt::format("first in {}, at most {:.3g} relative", difference.first_tensor, difference.relative);
}

}  // namespace

bool verify(Job& job, const VerifyArguments& arguments) {
  const comm::Communicator& world = job.world;
  const LoadedConfig loaded = load_config(world, arguments.config, arguments.overrides);
  const config::RunConfig& run = loaded.run;
  world.all_or_none([&] {
    if (arguments.tolerance && run.reduce.mode == reduce::Mode::kExact)
      throw ConfigError(
          fmt::format("--tolerance is {:g}, expected none with reduce.mode = \"exact\", which has no drift",
                      *arguments.tolerance));
  });
  const Compute compute = agree_on_compute(run.compute, world);
  report::Console& console = job.console;
  console.line(fmt::format("lockstep {}: {}", kVersion, describe_run(run, world.size(), compute)));
  for (const std::string& note : compute.notes) console.line(note);

  job.watch(run.watchdog_seconds);
  Experiment of_all(run, world, compute.threads, job.supervision());
  std::optional<Experiment> of_one;
  world.all_or_none([&] {
    if (world.rank() == 0) of_one.emplace(run, job.self, 1, liveness::Supervision{.progress = &job.progress});
  });

  const bool exact = run.reduce.mode == reduce::Mode::kExact;
  const train::Verification result =
      train::verify(world, of_all.model().tensors(), of_all.trainer(), of_one ? &of_one->trainer() : nullptr,
                    arguments.steps, exact);
  const std::string layouts =
      fmt::format("{} rank{} x {} thread{} against 1 x 1", world.size(), world.size() == 1 ? "" : "s",
                  compute.threads, compute.threads == 1 ? "" : "s");
  if (result.identical) {
    console.line(fmt::format("identical after each of {} steps: weights {}, {}", result.steps,
                             hash_hex(std::as_bytes(of_all.trainer().parameters())), layouts));
    return true;
  }
  if (exact || !result.odd_replica.empty()) {
    console.line(fmt::format("differs at step {}: {}, {}", result.steps,
                             result.odd_replica.empty() ? describe(result.first) : result.odd_replica,
                             layouts));
    return false;
  }
  const double tolerance = arguments.tolerance.value_or(0.0);
  bool within = world.rank() != 0 || result.last.relative <= tolerance;
  within = world.allreduce_min(within ? 1 : 0) == 1;
  console.line(fmt::format(
      "drift after {} steps, the first at step {}: {}; {} the tolerance of {:g} (float sums depend on "
      "the ranks), {}",
      result.steps, result.first_step, drift_of(result.last), within ? "within" : "above", tolerance,
      layouts));
  return within;
}

}  // namespace lockstep::run
