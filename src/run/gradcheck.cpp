#include "run/gradcheck.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "base/version.h"
#include "run/experiment.h"
#include "run/setup.h"
#include "run/small_batch.h"
#include "train/gradient_check.h"

namespace lockstep::run {
namespace {

// The place of an element of the arena in its tensor, as files have it, such as "[3, 17]".
std::string place(const nn::Tensor& tensor, std::size_t element) {
  element = nn::index_in_file(tensor, element);
  std::vector<std::size_t> indices(tensor.shape.size());
  for (std::size_t d = indices.size(); d-- > 0; element /= tensor.shape[d])
    indices[d] = element % tensor.shape[d];
  return fmt::format("[{}]", fmt::join(indices, ", "));
}

// A tensor's line of the table.
std::string line_of(const train::TensorCheck& check, const nn::Tensor& tensor, double tolerance) {
  return fmt::format("{:<20}{:>9}{:>13.2e}{:>16}{:>14.5g}{:>14.5g}  {}{}", tensor.name, check.checked,
                     check.worst, place(tensor, check.element), check.backward, check.difference,
                     check.worst <= tolerance ? "pass" : "FAIL",
                     check.at_kink > 0 ? fmt::format(" ({} at a kink)", check.at_kink) : "");
}

}  // namespace

bool gradcheck(Job& job, const GradcheckArguments& arguments) {
  const comm::Communicator& world = job.world;
  LoadedConfig loaded = load_config(world, arguments.config, arguments.overrides);
  world.all_or_none([&] { loaded.run.train.batch_size = small_batch(loaded.run, arguments.samples); });
  const Compute compute = agree_on_compute(loaded.run.compute, world);
  report::Console& console = job.console;
  console.line(fmt::format("lockstep {}: {}", kVersion, describe_run(loaded.run, world.size(), compute)));
  job.watch(loaded.run.watchdog_seconds);
  Experiment experiment(loaded.run, world, compute.threads, job.supervision());
  console.line(fmt::format("{:<20}{:>9}{:>13}{:>16}{:>14}{:>14}", "tensor", "elements", "worst error", "at",
                           "backward", "difference"));
  bool good = true;
  for (const train::TensorCheck& check : train::check_gradient(experiment.trainer(), arguments.elements)) {
    console.line(line_of(check, experiment.model().tensors()[check.tensor], arguments.tolerance));
    good = good && check.worst <= arguments.tolerance;
  }
  console.line(
      good ? "the backward pass is the derivative of the loss"
           : fmt::format("the backward pass is not the derivative of the loss: an error is above {:g}",
                         arguments.tolerance));
  return good;
}

}  // namespace lockstep::run
