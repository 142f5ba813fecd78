#include "train/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "kernels/simd.h"

namespace lockstep::train {
namespace {

struct Element {
  std::size_t tensor = 0, index = 0;  // which tensor, which of its numbers
  double left = 0.0, right = 0.0;     // one-sided differences
  double difference() const { return 0.5 * (left + right); }
};

std::vector<Element> draw_elements(const std::vector<nn::Tensor>& tensors, std::size_t per_tensor,
                                   std::uint64_t seed) {
  std::vector<Element> elements;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const RandomStream stream(seed, Purpose::kGradientCheck, static_cast<std::uint32_t>(t));
    const std::size_t size = tensors[t].size;
    for (std::size_t i = 0; i < std::min(size, per_tensor); ++i)
      elements.push_back({.tensor = t,
                          .index = size <= per_tensor ? i
                                                      : stream.below(static_cast<std::uint32_t>(i),
                                                                     static_cast<std::uint32_t>(size))});
  }
  return elements;
}

// The losses of this rank's rows of the batch, in double.
class LossInDouble {
 public:
  explicit LossInDouble(Trainer& trainer)
      : parts_(trainer.parts()), arena_(trainer.parameters().begin(), trainer.parameters().end()) {
    const std::vector<data::Block> blocks = parts_.loader.blocks(trainer.step_in_epoch());
    std::size_t rows = 0;
    for (const data::Block& block : blocks) rows += block.rows();
    std::vector<float> x(rows * parts_.model.inputs());
    targets_.resize(rows);
    numbers_.resize(rows);
    parts_.loader.gather(blocks, parts_.normalizer, x, targets_, numbers_, parts_.threads);
    pass_ = {1, parts_.seed, static_cast<std::uint32_t>(trainer.steps_done()), numbers_};
    samples_ = static_cast<double>(parts_.plan.batch_samples(trainer.step_in_epoch()));
    if (rows == 0) return;
    inputs_ = parts_.model.inputs_in_double(arena_, {x.begin(), x.end()}, pass_);
    here_ = of_outputs(parts_.model.forward_in_double(arena_, 0, inputs_[0], pass_));
  }

  // What these rows add to (L(w + move) - L(w)) / move, where L is the mean loss over all ranks' rows and w
  // one parameter, as a multiple of 2^-40. Rounded row by row: the sum over ranks is the same however many
  // there are. Safe to call concurrently.
  std::int64_t slope(const nn::Tensor& tensor, std::size_t layer, std::size_t index, double move) const {
    if (targets_.empty()) return 0;
    std::vector<double> arena = arena_;
    arena[tensor.offset + index] += move;
    const auto there = of_outputs(parts_.model.forward_in_double(arena, layer, inputs_[layer], pass_));
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < there.size(); ++i)
      sum += std::llrint((there[i] - here_[i]) / move / samples_ * 0x1p40);
    return sum;
  }

 private:
  std::vector<double> of_outputs(std::span<const double> outputs) const {
    const std::size_t width = parts_.model.outputs();
    std::vector<double> losses;
    for (std::size_t i = 0; i < targets_.size(); ++i)
      losses.push_back(kernels::sample_loss(parts_.loss, outputs.subspan(i * width, width), targets_[i]));
    return losses;
  }

  const TrainerParts& parts_;
  std::vector<double> arena_;
  std::vector<float> targets_;
  std::vector<std::uint32_t> numbers_;
  nn::Pass pass_;
  double samples_ = 0.0;
  std::vector<std::vector<double>> inputs_;  // of each layer
  std::vector<double> here_;                 // the loss of each row
};

// Overwrites the elements' one-sided differences.
void take_differences(const TrainerParts& parts, const LossInDouble& loss, double h,
                      std::span<Element*> elements) {
  const auto& tensors = parts.model.tensors();
  std::vector<std::int64_t> sums(2 * elements.size());
  kernels::parallel_ranges(elements.size(), 1, parts.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto [t, index, left, right] = *elements[i];
      const std::size_t layer = parts.model.layer_of(t);
      sums[2 * i] = loss.slope(tensors[t], layer, index, -h);
      sums[2 * i + 1] = loss.slope(tensors[t], layer, index, h);
    }
  });
  parts.communicator.allreduce_sum(sums);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    elements[i]->left = static_cast<double>(sums[2 * i]) * 0x1p-40;
    elements[i]->right = static_cast<double>(sums[2 * i + 1]) * 0x1p-40;
  }
}

// Those whose one-sided differences disagree: a kink lies within h.
std::vector<Element*> at_kink(std::span<Element*> elements) {
  std::vector<Element*> found;
  for (Element* element : elements) {
    const double larger = std::max(std::fabs(element->left), std::fabs(element->right));
    if (std::fabs(element->left - element->right) > 1e-4 * larger + 1e-7) found.push_back(element);
  }
  return found;
}

}  // namespace

std::vector<TensorCheck> check_gradient(Trainer& trainer, std::size_t per_tensor) {
  const TrainerParts& parts = trainer.parts();
  const auto& tensors = parts.model.tensors();
  trainer.compute_gradient();
  const LossInDouble loss(trainer);

  std::vector<Element> elements = draw_elements(tensors, per_tensor, parts.seed);
  std::vector<Element*> open;
  for (Element& element : elements) open.push_back(&element);
  for (const double h : {1e-6, 1e-7, 1e-8}) {  // a kink leaves a smaller interval, as a rule
    take_differences(parts, loss, h, open);
    open = at_kink(open);
  }

  const std::vector<float> gradient = parts.reducer.gradient();
  std::vector<double> largest(tensors.size());
  for (const Element& element : elements)
    largest[element.tensor] = std::max(largest[element.tensor], std::fabs(element.difference()));
  std::vector<TensorCheck> checks;
  for (const nn::Tensor& tensor : tensors) checks.push_back({.tensor = tensor.name});
  for (const Element* element : open) ++checks[element->tensor].at_kink;
  for (Element& element : elements) {
    TensorCheck& check = checks[element.tensor];
    ++check.checked;
    if (std::find(open.begin(), open.end(), &element) != open.end()) continue;
    const double backward = gradient[tensors[element.tensor].offset + element.index];
    const double difference = element.difference();
    constexpr double kNothing =
        5e-6;  // losses rounded to 1e-16, over h: 1e-4 of this is what differences see
    const double scale =
        std::max({std::fabs(backward), std::fabs(difference), 0.1 * largest[element.tensor], kNothing});
    const double error = std::fabs(backward - difference) / scale;
    if (error < check.worst) continue;
    check.worst = error;
    check.element = element.index;
    check.backward = backward;
    check.difference = difference;
  }
  return checks;
}

}  // namespace lockstep::train
