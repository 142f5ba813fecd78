#include <algorithm>
#include <cmath>

#include "compare/hypotheses.h"
#include "compare/numbers.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "nn/pointwise.h"

namespace lockstep::compare {
namespace {

using Predictions = std::vector<Prediction>;

// --- gradients of outputs (and of the inputs) by way of the layer after them ---

// Where an activation reads the output: f(x, y, dy) instead of dy f'(x).
template <typename F>
Predictions of_activation(const Case& of, F&& f) {
  const std::size_t k = of.array.index;
  const auto* const layer = dynamic_cast<const nn::Pointwise*>(of.layer_after(k));
  if (layer == nullptr) return {};
  const std::vector<double>&x = of.arrays.outputs[k], &y = of.arrays.outputs[k + 1],
        &dy = of.arrays.gradients[k + 1];
  std::vector<double> dx(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) dx[i] = f(*layer, x[i], y[i], dy[i]);
  return {{of.shaped(std::move(dx))}};
}

double slope(const nn::Pointwise& layer, double x) {
  return kernels::slope(layer.activation(), x, layer.parameters());
}

Predictions without_slope(const Case& of) {
  return of_activation(of, [](auto&, double, double, double dy) { return dy; });
}
Predictions slope_of_output(const Case& of) {
  return of_activation(of, [](auto& layer, double, double y, double dy) { return dy * slope(layer, y); });
}
// y (1 - y) of sigmoid and 1 - y^2 of tanh, with x for y.
Predictions formula_of_output_on_input(const Case& of) {
  return of_activation(of, [](auto& layer, double x, double, double dy) {
    if (layer.activation() == kernels::Activation::kSigmoid) return dy * x * (1.0 - x);
    if (layer.activation() == kernels::Activation::kTanh) return dy * (1.0 - x * x);
    return dy * slope(layer, x);
  });
}
Predictions value_for_slope(const Case& of) {
  return of_activation(of, [](auto&, double, double y, double dy) { return dy * y; });
}
Predictions applied_to_gradient(const Case& of) {
  return of_activation(of, [](auto& layer, double, double, double dy) {
    return kernels::activate(layer.activation(), dy, layer.parameters());
  });
}
Predictions by_sign_of_gradient(const Case& of) {
  return of_activation(of, [](auto& layer, double, double, double dy) { return dy * slope(layer, dy); });
}
Predictions slope_twice(const Case& of) {
  return of_activation(
      of, [](auto& layer, double x, double, double dy) { return dy * slope(layer, x) * slope(layer, x); });
}
Predictions slope_of_another(const Case& of) {
  const std::size_t k = of.array.index;
  const auto* const layer = dynamic_cast<const nn::Pointwise*>(of.layer_after(k));
  if (layer == nullptr) return {};
  Predictions predictions;
  for (const OtherActivation& other : other_activations(*layer))
    predictions.push_back({of.shaped(mapped(of.arrays.outputs[k], of.arrays.gradients[k + 1],
                                            [&](double x, double dy) {
                                              return dy *
                                                     kernels::slope(other.activation, x, other.parameters);
                                            })),
                           other.name});
  return predictions;
}

Predictions dropout_missing(const Case& of) {
  if (dynamic_cast<const nn::Dropout*>(of.layer_after(of.array.index)) == nullptr) return {};
  return {{of.shaped(of.arrays.gradients[of.array.index + 1])}};
}

// Through the layer after it, with another arena.
Predictions through(const Case& of, const std::vector<double>& arena) {
  const std::size_t k = of.array.index;
  if (arena.empty() || of.layer_after(k) == nullptr || of.layer_after(k)->tensors().empty()) return {};
  return {{of.shaped(backward_of(of, arena, k, of.arrays.outputs, of.arrays.gradients).dx)}};
}
Predictions through_transposed(const Case& of) {
  if (of.layer_after(of.array.index) == nullptr) return {};
  return through(of, with_transposed(of, of.array.index));
}
Predictions through_updated(const Case& of) { return through(of, updated_arena(of)); }

// The layer after it is given the gradient of the activation's output after that, not of its own.
Predictions past_the_activation(const Case& of) {
  const std::size_t k = of.array.index;
  if (of.layer_after(k) == nullptr || of.layer_after(k)->tensors().empty()) return {};
  if (dynamic_cast<const nn::Pointwise*>(of.layer_after(k + 1)) == nullptr) return {};
  std::vector<std::vector<double>> gradients = of.arrays.gradients;
  gradients[k + 1] = gradients[k + 2];
  return {{of.shaped(backward_of(of, of.start.parameters, k, of.arrays.outputs, gradients).dx)}};
}

// --- gradients of parameters ---

double l2_of(const Case& of) { return of.rules().options.optimizer.l2 * of.tensor().weight_decay_factor; }
std::vector<double> weights(const Case& of) {
  const auto w = of.tensor().slice(std::span(of.start.parameters));
  return {w.begin(), w.end()};
}

// Of the tensor's layer: the gradient with other rows, plus the L2 term; as the layout shapes it.
Predictions with_rows(const Case& of, const std::vector<std::vector<double>>& outputs,
                      const std::vector<std::vector<double>>& gradients) {
  const std::size_t layer = of.model().layer_of(of.array.index);
  const Backward backward = backward_of(of, of.start.parameters, layer, outputs, gradients);
  const auto sum = of.tensor().slice(std::span(backward.arena));
  return {{of.shaped(mapped({sum.begin(), sum.end()}, weights(of),
                            [l2 = l2_of(of)](double g, double w) { return g + l2 * w; }))}};
}

// The two parts multiplied; `l2` of a tensor without decay stands for train.l2.
Predictions parts(const Case& of, double data, double l2) {
  const std::vector<double> w = of.shaped(weights(of));
  return {{mapped(of.expected, w,
                  [&](double g, double weight) { return data * (g - l2_of(of) * weight) + l2 * weight; })}};
}
Predictions with_l2(const Case& of, double factor) {
  if (l2_of(of) == 0.0) return {};
  return parts(of, 1.0, factor * l2_of(of));
}
Predictions without_l2(const Case& of) { return with_l2(of, 0.0); }
Predictions twice_l2(const Case& of) { return with_l2(of, 2.0); }
Predictions half_l2(const Case& of) { return with_l2(of, 0.5); }
Predictions minus_l2(const Case& of) { return with_l2(of, -1.0); }
Predictions l2_over_batch(const Case& of) { return with_l2(of, 1.0 / of.rows()); }
Predictions l2_times_batch(const Case& of) { return with_l2(of, of.rows()); }
Predictions decayed(const Case& of) {
  if (of.tensor().weight_decay_factor != 0.0 || of.rules().options.optimizer.l2 == 0.0) return {};
  return parts(of, 1.0, of.rules().options.optimizer.l2);
}
// With an L2 term; without one it is a factor of all, which general hypotheses know.
Predictions sum_and_l2(const Case& of) {
  return l2_of(of) == 0.0 ? Predictions{} : parts(of, of.rows(), l2_of(of));
}
Predictions over_batch_twice_and_l2(const Case& of) {
  return l2_of(of) == 0.0 ? Predictions{} : parts(of, 1.0 / of.rows(), l2_of(of));
}

bool is_weight(const Case& of) { return of.tensor().shape.size() > 1; }

Predictions before_the_activation(const Case& of) {
  const std::size_t layer = of.model().layer_of(of.array.index);
  if (!is_weight(of) || dynamic_cast<const nn::Pointwise*>(of.layer_before(layer)) == nullptr) return {};
  std::vector<std::vector<double>> outputs = of.arrays.outputs;
  outputs[layer] = outputs[layer - 1];
  return with_rows(of, outputs, of.arrays.gradients);
}
// Its own output for its input, where that has the same width.
Predictions own_output(const Case& of) {
  const std::size_t layer = of.model().layer_of(of.array.index);
  if (!is_weight(of) || of.layer_after(layer)->inputs() != of.layer_after(layer)->outputs()) return {};
  std::vector<std::vector<double>> outputs = of.arrays.outputs;
  outputs[layer] = outputs[layer + 1];
  return with_rows(of, outputs, of.arrays.gradients);
}
Predictions gradient_after_activation(const Case& of) {
  const std::size_t layer = of.model().layer_of(of.array.index);
  if (dynamic_cast<const nn::Pointwise*>(of.layer_after(layer + 1)) == nullptr) return {};
  std::vector<std::vector<double>> gradients = of.arrays.gradients;
  gradients[layer + 1] = gradients[layer + 2];
  return with_rows(of, of.arrays.outputs, gradients);
}

// One sample's part alone, as a loop leaves it that assigns instead of adding up.
Predictions of_sample(const Case& of, std::size_t row) {
  const std::size_t layer = of.model().layer_of(of.array.index);
  std::vector<std::vector<double>> gradients = of.arrays.gradients;
  std::vector<double>& dy = gradients[layer + 1];
  const std::size_t width = dy.size() / of.start.rows();
  for (std::size_t i = 0; i < dy.size(); ++i)
    if (i / width != row) dy[i] = 0.0;
  return with_rows(of, of.arrays.outputs, gradients);
}
Predictions of_last_sample(const Case& of) { return of_sample(of, of.start.rows() - 1); }
Predictions of_first_sample(const Case& of) { return of_sample(of, 0); }
Predictions of_last_sample_times_rows(const Case& of) {
  Predictions predictions = of_last_sample(of);
  for (double& g : predictions[0].values) g *= of.rows();
  return predictions;
}

Predictions summed_over_everything(const Case& of) {
  if (is_weight(of)) return {};
  const double sum = sum_of(of.expected);
  return {{std::vector<double>(of.expected.size(), sum)}};
}

// All of the step, forward and backward, after the update.
Predictions after_update(const Case& of) {
  train::StepStart start = of.start;
  start.parameters = updated_arena(of);
  return {{of.layout.values(of.array, start, train::step_in_double(of.rules(), start))}};
}

constexpr auto kOutput = ArrayKind::kOutputGradient, kInputs = ArrayKind::kInputsGradient,
               kParameter = ArrayKind::kParameterGradient;

const Hypothesis kTable[] = {
    {"activation-derivative-missing",
     "the derivative of the activation is left out",
     {kOutput, kInputs},
     without_slope},
    {"activation-derivative-of-output",
     "the derivative of the activation is taken at its output a, expected at its input z: f'(z), not "
     "f'(f(z))",
     {kOutput, kInputs},
     slope_of_output},
    {"activation-derivative-formula-of-input",
     "the derivative's formula takes the activation's output, a (1 - a) or 1 - a^2, and is given its input z",
     {kOutput, kInputs},
     formula_of_output_on_input},
    {"activation-by-gradient",
     "the activation's derivative is taken at the gradient, expected at the layer's input: zero where z <= "
     "0, not where the "
     "gradient is",
     {kOutput, kInputs},
     by_sign_of_gradient},
    {"activation-of-gradient",
     "the activation itself is applied to the gradient, expected its derivative times the gradient",
     {kOutput, kInputs},
     applied_to_gradient},
    {"activation-for-derivative",
     "the gradient is multiplied by the activation, expected by its derivative",
     {kOutput, kInputs},
     value_for_slope},
    {"activation-derivative-twice",
     "the derivative of the activation is multiplied in twice",
     {kOutput, kInputs},
     slope_twice},
    {"activation-derivative-another", "the derivative is that of {}", {kOutput, kInputs}, slope_of_another},
    {"dropout-backward-missing",
     "the gradient of dropped units is not dropped: multiply by the mask of the forward pass",
     {kOutput, kInputs},
     dropout_missing},
    {"weight-transposed-backward",
     "the weight is used transposed: dy W^T instead of dy W (its shape does not tell, for it is square)",
     {kOutput, kInputs},
     through_transposed},
    {"backward-after-update",
     "the gradient goes back through the weights after the update, expected those before it",
     {kOutput, kInputs},
     through_updated},
    {"activation-derivative-skipped",
     "the gradient of the activation's output (da) goes back through the weight, expected that of its input "
     "(dz)",
     {kOutput, kInputs},
     past_the_activation},
    {"l2-missing", "the L2 term is left out: add l2 W", {kParameter}, without_l2},
    {"l2-doubled",
     "the L2 term is twice as large: the derivative of 0.5 l2 W^2 is l2 W",
     {kParameter},
     twice_l2},
    {"l2-halved",
     "the L2 term is half as large: the derivative of 0.5 l2 W^2 is l2 W",
     {kParameter},
     half_l2},
    {"l2-sign", "the L2 term is subtracted, expected added", {kParameter}, minus_l2},
    {"l2-over-batch",
     "the L2 term is divided by the batch size, as l2 / N; here it is l2 W, whatever the batch",
     {kParameter},
     l2_over_batch},
    {"l2-times-batch", "the L2 term is multiplied by the batch size", {kParameter}, l2_times_batch},
    {"bias-decayed", "the bias has an L2 term too, expected the weights alone", {kParameter}, decayed},
    {"not-divided-by-batch",
     "the gradient without its L2 term is the sum over the samples, expected the mean: divide by the batch "
     "size",
     {kParameter},
     sum_and_l2},
    {"divided-by-batch-twice",
     "the gradient without its L2 term is divided by the batch size twice",
     {kParameter},
     over_batch_twice_and_l2},
    {"input-before-activation",
     "the layer's input is taken before the activation (z), expected after it (a)",
     {kParameter},
     before_the_activation},
    {"output-for-input", "the layer's own output is taken for its input", {kParameter}, own_output},
    {"gradient-after-activation",
     "the gradient of the activation's output (da) is used, expected that of its input (dz): the "
     "activation's derivative is "
     "left out",
     {kParameter},
     gradient_after_activation},
    {"last-sample-alone",
     "only the last sample counts: a loop over the samples assigns where it should add up",
     {kParameter},
     of_last_sample},
    {"last-sample-alone",
     "only the last sample counts, and nothing is divided by the batch size: a loop assigns where it should "
     "add up",
     {kParameter},
     of_last_sample_times_rows},
    {"first-sample-alone", "only the first sample counts", {kParameter}, of_first_sample},
    {"bias-sum-of-everything",
     "the sum is over samples and units, expected over the samples alone: sum(axis=0)",
     {kParameter},
     summed_over_everything},
    {"gradient-after-update",
     "the gradient is computed with the parameters after the update",
     {kOutput, kInputs, kParameter},
     after_update},
};

}  // namespace

std::span<const Hypothesis> backward_hypotheses() { return kTable; }

}  // namespace lockstep::compare
