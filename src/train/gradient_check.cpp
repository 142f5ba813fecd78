#include "train/gradient_check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include "base/random.h"
#include "base/simd.h"

namespace lockstep::train {
namespace {

// What rounding errors amount to: of the losses in double, relative to their size; of float32's sums in the
// backward pass, relative to the size of their terms; and of what float32 passes on to other layers, where
// saturated units have a slope of 0, relative to the largest of all terms.
constexpr double kRoundingOfLoss = 8 * 0x1p-52;
constexpr double kRoundingOfSums = 4 * 0x1p-23;
constexpr double kRoundingOfLayers = 0x1p-30;
constexpr double kVisible = 1e-4;  // relative differences that are worth seeing

struct Element {
  std::size_t tensor = 0, index = 0;  // which tensor, which of its elements
  double unit = 1.0;                  // of h: a power of two of the weight's size, or 1
  double left = 0.0, right = 0.0;     // one-sided differences
  double terms = 0.0;                 // the mean magnitude of the rows' terms of them
  double disagreement = 0.0;          // the mean of the rows' |left - right|: kinks do not cancel here
  double noise = 0.0;                 // rounding of the losses, as it shows in the differences

  double difference() const { return 0.5 * (left + right); }
};

// What errors are measured by.
class Scales {
 public:
  Scales(std::span<const Element> elements, const nn::Model& model) : largest_(model.tensors().size()) {
    std::vector<double> noise(largest_.size()), of_layer(model.layers().size());
    for (const Element& element : elements) {
      double& largest = largest_[element.tensor];
      largest = std::max(largest, std::fabs(element.difference()));
      noise[element.tensor] = std::max(noise[element.tensor], element.noise);
      of_layer[model.layer_of(element.tensor)] = std::max(of_layer[model.layer_of(element.tensor)], largest);
      terms_ = std::max(terms_, element.terms);
    }
    // A tensor that the loss does not depend on, such as a bias before batch norm, is measured by its layer.
    for (std::size_t t = 0; t < largest_.size(); ++t)
      if (largest_[t] <= 8 * noise[t]) largest_[t] = of_layer[model.layer_of(t)];
  }
  double of(const Element& element) const {
    const double rounding = element.noise + kRoundingOfSums * element.terms + kRoundingOfLayers * terms_;
    return std::max({std::fabs(element.left), std::fabs(element.right), 0.1 * largest_[element.tensor],
                     rounding / kVisible});
  }

 private:
  std::vector<double> largest_;  // difference of each tensor
  double terms_ = 0.0;           // the largest of all elements
};

// With w + unit * 2^-n exact for n up to 52: w has float32's 24 bits.
double unit_of(float w) { return std::fabs(w) < 1.0F ? 1.0 : std::ldexp(1.0, std::ilogb(w) + 1); }

std::vector<Element> draw_elements(const Trainer& trainer, std::size_t per_tensor) {
  const std::vector<nn::Tensor>& tensors = trainer.parts().model.tensors();
  std::vector<Element> elements;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (!tensors[t].learns()) continue;
    const RandomStream stream(trainer.parts().seed, Purpose::kGradientCheck, static_cast<std::uint32_t>(t));
    const std::size_t size = tensors[t].size;
    for (std::size_t i = 0; i < std::min(size, per_tensor); ++i) {
      const std::size_t index =
          size <= per_tensor ? i
                             : stream.below(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(size));
      const float w = trainer.parameters()[tensors[t].offset + index];
      elements.push_back({.tensor = t, .index = index, .unit = unit_of(w)});
    }
  }
  return elements;
}

// Sums over the values of all ranks, `count` of each, that do not depend on which rank has which: every
// value is rounded to a multiple of 2^-60 or so of the largest one's magnitude times `count`.
class SumsOfRanks {
 public:
  SumsOfRanks(const comm::Communicator& communicator, std::size_t count)
      : communicator_(communicator), bits_(61 - static_cast<int>(std::bit_width(count))) {}

  // terms[i] holds this rank's values of sum i. NaN where one is not finite. Collective.
  std::vector<double> operator()(const std::vector<std::vector<double>>& terms) const {
    std::vector<double> largest(terms.size());  // magnitudes; NaN where a value is
    for (std::size_t i = 0; i < terms.size(); ++i)
      for (const double x : terms[i])
        if (std::isnan(x) || std::fabs(x) > largest[i]) largest[i] = std::fabs(x);
    communicator_.allreduce_max(largest);
    std::vector<std::int64_t> sums(terms.size());
    std::vector<int> shifts(terms.size());
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (largest[i] == 0.0 || !std::isfinite(largest[i])) continue;
      shifts[i] = bits_ - std::ilogb(largest[i]);
      for (const double x : terms[i]) sums[i] += std::llrint(std::ldexp(x, shifts[i]));
    }
    communicator_.allreduce_sum(sums);
    std::vector<double> values(terms.size());
    for (std::size_t i = 0; i < terms.size(); ++i)
      values[i] =
          std::isfinite(largest[i]) ? std::ldexp(static_cast<double>(sums[i]), -shifts[i]) : std::nan("");
    return values;
  }

 private:
  const comm::Communicator& communicator_;
  int bits_;  // that a value may have, so that `count` of them do not overflow
};

// The losses of this rank's rows of the batch, in double.
class LossInDouble {
 public:
  explicit LossInDouble(Trainer& trainer)
      : parts_(trainer.parts()),
        label_smoothing_(trainer.options().label_smoothing),
        arena_(trainer.parameters().begin(), trainer.parameters().end()) {
    const std::vector<data::Block> blocks = parts_.loader.blocks(trainer.step_in_epoch());
    std::size_t rows = 0;
    for (const data::Block& block : blocks) rows += block.rows();
    std::vector<float> x(rows * parts_.model.inputs());
    targets_.resize(rows);
    sample_ids_.resize(rows);
    parts_.loader.gather(blocks, parts_.normalizer, x, targets_, sample_ids_, parts_.threads);
    micro_batches_ = data::micro_batch_rows(blocks);
    pass_ = {1, parts_.seed, static_cast<std::uint32_t>(trainer.steps_done()), sample_ids_, micro_batches_};
    if (rows == 0) return;
    inputs_ = parts_.model.inputs_in_double(arena_, {x.begin(), x.end()}, pass_);
    outputs_ = parts_.model.forward_in_double(arena_, 0, inputs_, pass_);
    here_ = of_outputs(outputs_);
  }

  // (l(w + move) - l(w)) / move for the loss l of each row and one parameter w. Safe to call concurrently.
  std::vector<double> slopes(const Element& element, double move) const {
    if (targets_.empty()) return {};
    const std::size_t layer = parts_.model.layer_of(element.tensor);
    std::vector<double> arena = arena_;
    arena[parts_.model.tensors()[element.tensor].offset + element.index] += move;
    auto slopes = of_outputs(parts_.model.forward_in_double(arena, layer, inputs_, pass_));
    for (std::size_t i = 0; i < slopes.size(); ++i) slopes[i] = (slopes[i] - here_[i]) / move;
    return slopes;
  }

  // What the rounding errors of each row's loss are relative to: |l| + sum_k |o_k dl/do_k|.
  std::vector<double> magnitudes() const {
    const std::size_t width = parts_.model.outputs();
    std::vector<float> outputs(outputs_.begin(), outputs_.end()), slopes(outputs.size());
    kernels::evaluate_loss(parts_.loss, {outputs.data(), here_.size(), width}, targets_, 1.0,
                           {slopes.data(), here_.size(), width}, parts_.threads, label_smoothing_);
    std::vector<double> magnitudes;
    for (std::size_t i = 0; i < here_.size(); ++i) {
      double sum = std::fabs(here_[i]);
      for (std::size_t k = i * width; k < (i + 1) * width; ++k) sum += std::fabs(outputs_[k] * slopes[k]);
      magnitudes.push_back(sum);
    }
    return magnitudes;
  }

 private:
  std::vector<double> of_outputs(std::span<const double> outputs) const {
    const std::size_t width = parts_.model.outputs();
    std::vector<double> losses;
    for (std::size_t i = 0; i < targets_.size(); ++i)
      losses.push_back(kernels::sample_loss(parts_.loss, outputs.subspan(i * width, width), targets_[i],
                                            label_smoothing_));
    return losses;
  }

  const TrainerParts& parts_;
  double label_smoothing_;
  std::vector<double> arena_;
  std::vector<float> targets_;
  std::vector<std::uint32_t> sample_ids_;
  std::vector<std::size_t> micro_batches_;  // their rows
  nn::PassContext pass_;
  std::vector<std::vector<double>> inputs_;  // of each layer
  std::vector<double> outputs_;
  std::vector<double> here_;  // the loss of each row
};

// The elements' one-sided differences of the mean loss over all ranks' rows.
class Differences {
 public:
  explicit Differences(Trainer& trainer)
      : parts_(trainer.parts()),
        samples_(parts_.plan.batch_samples(trainer.step_in_epoch())),
        loss_(trainer),
        sums_(parts_.communicator, samples_),
        magnitude_(sums_({loss_.magnitudes()})[0] / static_cast<double>(samples_)) {}

  // Rounding of the losses, as it shows in differences with this h.
  double noise(double h) const { return kRoundingOfLoss * magnitude_ / h; }

  // With h = step * unit. Overwrites the elements' differences. Collective.
  // Throws CollectiveError where a signal asks a rank to stop.
  void take(double step, std::span<Element*> elements) const {
    const std::size_t at_once =
        std::max<std::size_t>(16, (std::size_t{1} << 20) / samples_);  // memory's sake
    for (; !elements.empty(); elements = elements.subspan(std::min(at_once, elements.size()))) {
      stop_if_asked(parts_.supervision.signals, parts_.communicator, "while differences were taken");
      take_at_once(step, elements.first(std::min(at_once, elements.size())));
    }
  }

 private:
  void take_at_once(double step, std::span<Element*> elements) const {
    std::vector<std::vector<double>> terms(4 * elements.size());  // left, right, magnitude, disagreement
    parallel_ranges(elements.size(), 1, parts_.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        liveness::enter(parts_.supervision.progress, liveness::Activity::kEvaluation);
        const double h = step * elements[i]->unit;
        terms[4 * i] = loss_.slopes(*elements[i], -h);
        terms[4 * i + 1] = loss_.slopes(*elements[i], h);
        for (std::size_t row = 0; row < terms[4 * i].size(); ++row) {
          const double left = terms[4 * i][row], right = terms[4 * i + 1][row];
          terms[4 * i + 2].push_back(std::max(std::fabs(left), std::fabs(right)));
          terms[4 * i + 3].push_back(std::fabs(left - right));
        }
      }
    });
    const std::vector<double> sums = sums_(terms);
    const auto samples = static_cast<double>(samples_);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      elements[i]->left = sums[4 * i] / samples;
      elements[i]->right = sums[4 * i + 1] / samples;
      elements[i]->terms = sums[4 * i + 2] / samples;
      elements[i]->disagreement = sums[4 * i + 3] / samples;
      elements[i]->noise = noise(step * elements[i]->unit);
    }
  }

  const TrainerParts& parts_;
  std::size_t samples_;
  LossInDouble loss_;
  SumsOfRanks sums_;
  double magnitude_;  // of the losses, as far as rounding goes
};

// Takes all differences; returns those at a kink of the loss: the two sides disagree, and in a smaller
// interval no less, as they would where the loss is curved.
std::vector<Element*> take_differences(const Differences& differences, std::span<Element> elements,
                                       const nn::Model& model) {
  constexpr double kSmaller = 0x1p-4;
  std::vector<Element*> open, kinks;
  for (Element& element : elements) open.push_back(&element);
  for (double step = 0x1p-16; !open.empty();
       step *= kSmaller) {  // a kink leaves a smaller interval, as a rule
    std::vector<double> before;
    for (const Element* element : open) before.push_back(element->disagreement);
    differences.take(step, open);
    const Scales scales(elements, model);
    const std::vector<Element*> taken = std::exchange(open, {});
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const Element& element = *taken[i];
      const double seen = kVisible * scales.of(element) + 4 * element.noise;
      if (element.disagreement <= seen) continue;
      const bool curved = element.disagreement <= 2 * kSmaller * before[i] + 4 * element.noise;
      if (curved && std::fabs(element.left - element.right) <= seen) continue;
      // Where noise could explain what is seen, a still smaller interval says nothing.
      const bool worth = differences.noise(step * kSmaller * element.unit) < 0.02 * element.disagreement;
      (worth ? open : kinks).push_back(taken[i]);
    }
  }
  return kinks;
}

}  // namespace

std::vector<TensorCheck> check_gradient(Trainer& trainer, std::size_t per_tensor) {
  const TrainerParts& parts = trainer.parts();
  const auto& tensors = parts.model.tensors();
  trainer.compute_gradient();
  std::vector<Element> elements = draw_elements(trainer, per_tensor);
  const std::vector<Element*> kinks = take_differences(Differences(trainer), elements, parts.model);
  const Scales scales(elements, parts.model);

  const std::vector<float> gradient = parts.reducer.gradient();
  std::vector<TensorCheck> checks;
  for (std::size_t t = 0; t < tensors.size(); ++t) checks.push_back({.tensor = t});
  for (const Element* element : kinks) ++checks[element->tensor].at_kink;
  for (Element& element : elements) {
    TensorCheck& check = checks[element.tensor];
    ++check.checked;
    const double backward = gradient[tensors[element.tensor].offset + element.index];
    double difference = element.difference();
    if (std::find(kinks.begin(), kinks.end(), &element) != kinks.end()) {  // between every row's two sides
      const double reach = 0.5 * element.disagreement;
      difference = std::clamp(backward, difference - reach, difference + reach);
    }
    const double scale = std::max(std::fabs(backward), scales.of(element));
    const double error = scale > 0.0 ? std::fabs(backward - difference) / scale : 0.0;
    if (error < check.worst) continue;
    check.worst = error;
    check.element = element.index;
    check.backward = backward;
    check.difference = difference;
  }
  std::erase_if(checks, [&](const TensorCheck& check) { return !tensors[check.tensor].learns(); });
  return checks;
}

}  // namespace lockstep::train
