#include <algorithm>
#include <cmath>

#include "compare/hypotheses.h"
#include "compare/numbers.h"
#include "nn/batch_norm.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "nn/pointwise.h"

namespace lockstep::compare {
namespace {

using Predictions = std::vector<Prediction>;

// The output that `of` is about, if its layer, with other parameters or inputs, made it.
Predictions from_layer(const Case& of, std::span<const double> arena, const std::vector<double>& x) {
  const std::size_t k = of.array.index;
  std::vector<std::vector<double>> outputs = of.arrays.outputs;
  outputs[k - 1] = x;
  return {{of.shaped(output_of(of, arena, k, outputs))}};
}

// --- inputs, targets, parameters ---

// Each feature times a number plus another, both its own.
Predictions normalised_otherwise(const Case& of) {
  if (of.found == nullptr) return {};
  const std::size_t width = of.expected.size() / of.start.rows();
  Prediction prediction{std::vector<double>(of.expected.size())};
  for (std::size_t j = 0; j < width; ++j) {
    double x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
    const auto each = [&](auto&& look) {
      for (std::size_t i = j; i < of.expected.size(); i += width) look(of.expected[i], (*of.found)[i], i);
    };
    each([&](double a, double b, std::size_t) { x += a / of.rows(), y += b / of.rows(); });
    each([&](double a, double b, std::size_t) { xx += (a - x) * (a - x), xy += (a - x) * (b - y); });
    const double slope = xx > 0.0 ? xy / xx : 0.0;
    each([&](double a, double, std::size_t i) { prediction.values[i] = y + slope * (a - x); });
  }
  return {prediction};
}

Predictions classes_from_one(const Case& of) {
  if (!of.layout.has_classes()) return {};
  return {{mapped(of.expected, [](double t) { return t + 1.0; })}};
}

Predictions minus_and_plus_one(const Case& of) {
  if (!of.layout.has_classes()) return {};
  return {{mapped(of.expected, [](double t) { return 2.0 * t - 1.0; })}};
}

Predictions already_updated(const Case& of) { return {{of.shaped(of.arrays.updated[of.array.index])}}; }

// --- outputs ---

bool has_bias(const Case& of) {
  const nn::Layer* const layer = of.layer_before(of.array.index);
  return layer->tensors().size() == 2 && layer->tensors()[1].name == "bias";
}

Predictions without_bias(const Case& of) {
  if (!has_bias(of)) return {};
  return from_layer(of, with_bias(of, 0.0), of.arrays.outputs[of.array.index - 1]);
}

Predictions with_minus_bias(const Case& of) {
  if (!has_bias(of)) return {};
  return from_layer(of, with_bias(of, -1.0), of.arrays.outputs[of.array.index - 1]);
}

Predictions with_transposed_weight(const Case& of) {
  const auto arena = with_transposed(of, of.array.index - 1);
  if (arena.empty()) return {};
  return from_layer(of, arena, of.arrays.outputs[of.array.index - 1]);
}

// The layer reads what an activation was given, not what it made of it.
Predictions past_the_activation(const Case& of) {
  const std::size_t k = of.array.index;
  if (k < 2 || of.layer_before(k)->tensors().empty()) return {};
  const auto* const activation = dynamic_cast<const nn::Pointwise*>(of.layer_before(k - 1));
  if (activation == nullptr) return {};
  return from_layer(of, of.start.parameters, of.arrays.outputs[k - 2]);
}

Predictions with_updated_weights(const Case& of) {
  if (of.layer_before(of.array.index)->tensors().empty()) return {};
  return from_layer(of, updated_arena(of), of.arrays.outputs[of.array.index - 1]);
}

Predictions without_activation(const Case& of) {
  const auto* const activation = dynamic_cast<const nn::Pointwise*>(of.layer_before(of.array.index));
  if (activation == nullptr) return {};
  return {{of.shaped(of.arrays.outputs[of.array.index - 1])}};
}

Predictions another_activation(const Case& of) {
  const auto* const layer = dynamic_cast<const nn::Pointwise*>(of.layer_before(of.array.index));
  if (layer == nullptr) return {};
  Predictions predictions;
  for (const OtherActivation& other : other_activations(*layer))
    predictions.push_back({of.shaped(mapped(of.arrays.outputs[of.array.index - 1],
                                            [&](double x) {
                                              return kernels::activate(other.activation, x, other.parameters);
                                            })),
                           other.name});
  return predictions;
}

Predictions probabilities_instead(const Case& of) {
  if (of.layer_after(of.array.index) != nullptr) return {};
  return {{train::probabilities_of(of.rules(), of.arrays.outputs[of.array.index])}};
}

Predictions without_dropout(const Case& of) {
  if (dynamic_cast<const nn::Dropout*>(of.layer_before(of.array.index)) == nullptr) return {};
  return {{of.shaped(of.arrays.outputs[of.array.index - 1])}};
}

// Each unit that is kept is as large as before.
Predictions dropout_without_growth(const Case& of) {
  const auto* const dropout = dynamic_cast<const nn::Dropout*>(of.layer_before(of.array.index));
  if (dropout == nullptr) return {};
  return {{mapped(of.expected, [&](double y) { return y * (1.0 - dropout->rate()); })}};
}

// What batch norm makes of its input in another pass.
Predictions batch_norm_of(const Case& of, std::vector<std::size_t> micro_batches) {
  const nn::Layer* const layer = of.layer_before(of.array.index);
  if (dynamic_cast<const nn::BatchNorm*>(layer) == nullptr) return {};
  std::vector<double> y(of.arrays.outputs[of.array.index].size());
  layer->forward_in_double(of.arrays.outputs[of.array.index - 1],
                           params_of(of, of.array.index - 1, of.start.parameters), y,
                           {.micro_batches = micro_batches});
  return {{of.shaped(y)}};
}

Predictions whole_batch_normalised(const Case& of) {
  if (of.start.micro_batches.size() == 1) return {};
  return batch_norm_of(of, {of.start.rows()});
}

Predictions normalised_by_running_statistics(const Case& of) { return batch_norm_of(of, {}); }

Predictions without_skip(const Case& of) {
  const std::size_t l = of.array.index - 1;
  const auto added = of.model().skips().added_to(l);
  if (!added) return {};
  std::vector<double> y = of.arrays.outputs[of.array.index];
  for (std::size_t i = 0; i < y.size(); ++i) y[i] -= of.arrays.outputs[*added][i];
  return {{of.shaped(y)}};
}

// --- probabilities ---

Predictions logits_instead(const Case& of) { return {{of.arrays.outputs[of.array.index]}}; }

Predictions exponentials(const Case& of) {
  return {{mapped(of.arrays.outputs[of.array.index], [](double o) { return std::exp(o); })}};
}

Predictions sigmoids(const Case& of) {
  return {{mapped(of.arrays.outputs[of.array.index], [](double o) { return 1.0 / (1.0 + std::exp(-o)); })}};
}

// The exponentials of a class over their sum over the samples.
Predictions softmax_over_samples(const Case& of) {
  std::vector<double> p = exponentials(of)[0].values;
  const std::size_t width = of.model().outputs();
  for (std::size_t k = 0; k < width; ++k) {
    double sum = 0.0;
    for (std::size_t i = k; i < p.size(); i += width) sum += p[i];
    for (std::size_t i = k; i < p.size(); i += width) p[i] /= sum;
  }
  return {{p}};
}

// Each sample's probabilities divided by the sum of all.
Predictions softmax_over_everything(const Case& of) {
  return {{mapped(exponentials(of)[0].values,
                  [sum = sum_of(exponentials(of)[0].values)](double e) { return e / sum; })}};
}

const Hypothesis kForward[] = {
    {"inputs-normalised-otherwise",
     "the inputs are normalised in another way: each feature differs by a factor and a shift of its own "
     "(another mean, "
     "another standard deviation, or pixels of 0 to 255 instead of 0 to 1)",
     {ArrayKind::kInputs},
     normalised_otherwise},
    {"classes-from-one",
     "the classes are counted from 1, expected from 0",
     {ArrayKind::kTargets},
     classes_from_one},
    {"classes-minus-plus-one",
     "the classes are -1 and 1, expected 0 and 1",
     {ArrayKind::kTargets},
     minus_and_plus_one},
    {"parameters-after-update",
     "these are the parameters after the update, expected those before it: keep a copy before updating in "
     "place",
     {ArrayKind::kParameter},
     already_updated},
    {"bias-missing", "the bias is not added", {ArrayKind::kOutput}, without_bias},
    {"bias-subtracted", "the bias is subtracted, expected added", {ArrayKind::kOutput}, with_minus_bias},
    {"weight-transposed-forward",
     "the weight is used transposed: x W instead of x W^T (its shape does not tell, for it is square)",
     {ArrayKind::kOutput},
     with_transposed_weight},
    {"activation-skipped",
     "the layer is given the input of the activation before it (z), expected its output (a)",
     {ArrayKind::kOutput},
     past_the_activation},
    {"forward-after-update",
     "the forward pass uses the weights after the update",
     {ArrayKind::kOutput},
     with_updated_weights},
    {"activation-missing",
     "the activation is left out: the output is the input",
     {ArrayKind::kOutput},
     without_activation},
    {"activation-another", "the activation is {}", {ArrayKind::kOutput}, another_activation},
    {"probabilities-as-outputs",
     "these are the probabilities, after softmax or sigmoid, expected the outputs before it (the loss has it "
     "in it)",
     {ArrayKind::kOutput},
     probabilities_instead},
    {"dropout-missing",
     "no unit is dropped: multiply by masks.K of the step's file",
     {ArrayKind::kOutput},
     without_dropout},
    {"dropout-unscaled",
     "the units that dropout keeps are not divided by 1 - rate",
     {ArrayKind::kOutput},
     dropout_without_growth},
    {"batch-norm-whole-batch",
     "batch norm takes mean and variance over the whole batch, expected over each micro-batch (micro_batches "
     "in the "
     "step's file has their rows)",
     {ArrayKind::kOutput},
     whole_batch_normalised},
    {"batch-norm-running",
     "batch norm uses the running statistics in training, expected those of the batch",
     {ArrayKind::kOutput},
     normalised_by_running_statistics},
    {"skip-missing", "the output of the earlier layer is not added", {ArrayKind::kOutput}, without_skip},
    {"logits-as-probabilities",
     "softmax or sigmoid is left out: these are the outputs before it",
     {ArrayKind::kProbabilities},
     logits_instead},
    {"softmax-not-normalised",
     "the exponentials are not divided by their sum",
     {ArrayKind::kProbabilities},
     exponentials},
    {"softmax-over-samples",
     "softmax is taken over the samples (axis 0), expected over the classes of each sample (axis 1)",
     {ArrayKind::kProbabilities},
     softmax_over_samples},
    {"softmax-over-everything",
     "softmax divides by the sum over all samples, expected the sum of each sample: sum(axis=1, "
     "keepdims=True)",
     {ArrayKind::kProbabilities},
     softmax_over_everything},
    {"sigmoid-instead-of-softmax",
     "each output has a sigmoid of its own, expected softmax",
     {ArrayKind::kProbabilities},
     sigmoids},
};

}  // namespace

std::span<const Hypothesis> forward_hypotheses() { return kForward; }

}  // namespace lockstep::compare
