#include "train/divergence.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fixed_sum.h"
#include "kernels/arrays.h"
#include "train/trainer.h"

namespace lockstep::train {
namespace {

// What to change in a run that cannot go on at this step. Collective.
std::string advice(const TrainerParts& parts, std::size_t step) {
  constexpr double kLarge = 100.0;  // of values; a class of a single output is 0 or 1
  const double target =
      parts.communicator.allreduce_max(kernels::largest_magnitude(parts.loader.samples().targets));
  if (parts.model.outputs() == 1 && target > kLarge)
    return fmt::format(
        "targets reach {:.3g}, expected of order 1: scale them (data.target_scale = \"mean_std\" does for "
        "CSV "
        "files), or try a far smaller train.learning_rate",
        target);
  if (step == 1) return "scale the features (data.normalize) or the initial weights (model.init)";
  return "try a smaller train.learning_rate";
}

// The first tensor with a value that is not finite; "": none.
std::string first_not_finite(const std::vector<nn::Tensor>& tensors, std::span<const float> arena) {
  for (const nn::Tensor& tensor : tensors)
    if (!kernels::all_finite(tensor.slice(arena))) return tensor.name;
  return "";
}

}  // namespace

comm::CollectiveError divergence(const TrainerParts& parts, std::size_t step, const std::string& what) {
  const std::size_t epoch = (step - 1) / parts.plan.steps_per_epoch() + 1;
  return {ExitCode::kConfig,
          fmt::format("training diverged at step {} (epoch {}): {}, expected finite numbers; {}", step, epoch,
                      what, advice(parts, step))};
}

Culprit::Culprit(const TrainerParts& parts, std::span<const float> parameters)
    : parts_(parts), parameters_(parameters), first_layer_(parts.model.layers().size()) {}

void Culprit::see(nn::Workspace& workspace, std::size_t rows) {
  const auto values_of = [&](std::size_t layer) -> std::span<const float> {
    const kernels::Matrix y = workspace.output(layer, rows);
    return {y.data, y.rows * y.cols};
  };
  for (std::size_t layer = first_layer_; layer-- > 0;)
    if (!kernels::all_finite(values_of(layer))) first_layer_ = layer;
  largest_output_ =
      std::max(largest_output_, kernels::largest_magnitude(values_of(parts_.model.layers().size() - 1)));
}

comm::CollectiveError Culprit::error(std::size_t step) const {
  const auto& tensors = parts_.model.tensors();
  const auto& layers = parts_.model.layers();
  if (const std::string name = first_not_finite(tensors, parameters_); !name.empty())
    return divergence(parts_, step, fmt::format("{} is not finite", name));
  const auto first =
      static_cast<std::size_t>(parts_.communicator.allreduce_min(static_cast<std::int64_t>(first_layer_)));
  if (first < layers.size())
    return divergence(parts_, step,
                      fmt::format("the output of layer {} ({}) is not finite", parts_.model.place(first),
                                  layers[first]->description()));
  if (const std::string name = first_not_finite(tensors, parts_.reducer.gradient()); !name.empty())
    return divergence(parts_, step, fmt::format("the gradient of {} is not finite", name));
  const std::string what = fmt::format("a sample's loss is too large to be summed, with outputs up to {:.3g}",
                                       parts_.communicator.allreduce_max(largest_output_));
  if (step > 1) return divergence(parts_, step, what);
  return {ExitCode::kConfig, fmt::format("training cannot begin: {}, expected losses below {:.2g}; {}", what,
                                         FixedSum::kLimit, advice(parts_, step))};
}

}  // namespace lockstep::train
