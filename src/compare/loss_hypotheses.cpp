#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "compare/hypotheses.h"
#include "compare/numbers.h"

namespace lockstep::compare {
namespace {

using Predictions = std::vector<Prediction>;

// The two parts of the loss: the mean over the samples, and the L2 term.
double l2_term(const Case& of, bool with_biases = false) {
  double sum = 0.0;
  for (const nn::Tensor& tensor : of.model().tensors()) {
    const double factor = with_biases && tensor.has_gradient() ? 1.0 : tensor.weight_decay_factor;
    for (const double w : tensor.slice(std::span(of.start.parameters))) sum += factor * w * w;
  }
  return 0.5 * of.rules().options.optimizer.l2 * sum;
}
double data_term(const Case& of) { return of.expected[0] - l2_term(of); }

// The loss with its parts multiplied.
Predictions parts(const Case& of, double data, double l2) {
  return {{{data * data_term(of) + l2 * l2_term(of)}}};
}
Predictions with_l2(const Case& of, double factor) {
  if (l2_term(of) == 0.0) return {};
  return parts(of, 1.0, factor);
}

Predictions without_l2(const Case& of) { return with_l2(of, 0.0); }
Predictions twice_l2(const Case& of) { return with_l2(of, 2.0); }
Predictions half_l2(const Case& of) { return with_l2(of, 0.5); }
Predictions l2_over_batch(const Case& of) { return with_l2(of, 1.0 / of.rows()); }
Predictions twice_l2_over_batch(const Case& of) { return with_l2(of, 2.0 / of.rows()); }
Predictions l2_with_biases(const Case& of) {
  if (l2_term(of) == 0.0) return {};
  return {{{data_term(of) + l2_term(of, true)}}};
}

Predictions sum_over_samples(const Case& of) { return parts(of, of.rows(), 1.0); }
Predictions mean_over_outputs(const Case& of) {
  if (of.model().outputs() == 1) return {};
  return parts(of, 1.0 / static_cast<double>(of.model().outputs()), 1.0);
}
Predictions half_of_data(const Case& of) { return parts(of, 0.5, 1.0); }
Predictions twice_data(const Case& of) { return parts(of, 2.0, 1.0); }
Predictions minus_data(const Case& of) { return parts(of, -1.0, 1.0); }
Predictions base_two(const Case& of) { return parts(of, 1.0 / std::numbers::ln2, 1.0); }
Predictions base_ten(const Case& of) { return parts(of, 1.0 / std::numbers::ln10, 1.0); }

// -t log p alone: the samples of class 0 count nothing.
Predictions one_class_alone(const Case& of) {
  if (of.rules().loss != kernels::Loss::kBinaryCrossEntropy) return {};
  double sum = 0.0;
  const std::vector<double>& outputs = of.arrays.outputs.back();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    sum += of.start.targets[i] * std::log1p(std::exp(-outputs[i]));
  return {{{sum / of.rows() + l2_term(of)}}};
}

Predictions no_smoothing(const Case& of) {
  if (of.rules().options.label_smoothing == 0.0) return {};
  const std::size_t width = of.model().outputs();
  double sum = 0.0;
  for (std::size_t i = 0; i < of.start.rows(); ++i)
    sum += kernels::sample_loss(
        of.rules().loss, std::span(of.arrays.outputs.back()).subspan(i * width, width), of.start.targets[i]);
  return {{{sum / of.rows() + l2_term(of)}}};
}

// The last outputs' gradient, of each the slope of the loss without 1 / rows: f(output, target, slope).
bool is_last(const Case& of) { return of.layer_after(of.array.index) == nullptr; }
std::vector<double> one_hot(const Case& of) {
  const std::size_t width = of.model().outputs();
  std::vector<double> t(of.start.rows() * width);
  for (std::size_t i = 0; i < t.size(); ++i) {
    const double target = of.start.targets[i / width];
    t[i] = width == 1 ? target : static_cast<double>(i % width == static_cast<std::size_t>(target));
  }
  return t;
}
std::vector<double> probabilities(const Case& of) {
  return train::probabilities_of(of.rules(), of.arrays.outputs.back());
}

Predictions times_slope_of_sigmoid(const Case& of) {
  if (!is_last(of) || probabilities(of).empty()) return {};
  return {{mapped(of.expected, probabilities(of), [](double d, double p) { return d * p * (1.0 - p); })}};
}

Predictions by_probabilities(const Case& of) {
  if (!is_last(of)) return {};
  return {{train::probability_gradient(of.rules(), of.start, of.arrays.outputs.back())}};
}

// -t / p times p (1 - p): softmax's derivative as if it had a diagonal alone.
Predictions diagonal_of_softmax(const Case& of) {
  if (!is_last(of) || of.rules().loss != kernels::Loss::kCrossEntropy) return {};
  return {{mapped(by_probabilities(of)[0].values, probabilities(of),
                  [](double d, double p) { return d * p * (1.0 - p); })}};
}

Predictions outputs_for_probabilities(const Case& of) {
  if (!is_last(of) || probabilities(of).empty()) return {};
  return {{mapped(of.arrays.outputs.back(), one_hot(of),
                  [n = of.rows()](double o, double t) { return (o - t) / n; })}};
}

Predictions targets_left_out(const Case& of) {
  if (!is_last(of)) return {};
  std::vector<double> y = probabilities(of);
  if (y.empty()) y = of.arrays.outputs.back();
  return {{mapped(y, [n = of.rows()](double p) { return p / n; })}};
}

Predictions gradient_without_smoothing(const Case& of) {
  if (!is_last(of) || of.rules().options.label_smoothing == 0.0) return {};
  return {
      {mapped(probabilities(of), one_hot(of), [n = of.rows()](double p, double t) { return (p - t) / n; })}};
}

constexpr auto kLoss = ArrayKind::kLoss, kGradient = ArrayKind::kOutputGradient;

const Hypothesis kTable[] = {
    {"l2-missing",
     "the L2 term is left out: add 0.5 l2 times the sum of the weights' squares",
     {kLoss},
     without_l2},
    {"l2-doubled", "the L2 term is twice as large: the factor 0.5 is missing", {kLoss}, twice_l2},
    {"l2-halved", "the L2 term is half as large", {kLoss}, half_l2},
    {"l2-over-batch",
     "the L2 term is divided by the batch size, as l2 / (2 N); here it is 0.5 l2, whatever the batch",
     {kLoss},
     l2_over_batch},
    {"l2-over-batch",
     "the L2 term is divided by the batch size and lacks the factor 0.5",
     {kLoss},
     twice_l2_over_batch},
    {"l2-with-biases",
     "the L2 term counts the biases too, expected the weights alone",
     {kLoss},
     l2_with_biases},
    {"loss-sum",
     "the loss is the sum over the samples, expected the mean: divide by the batch size",
     {kLoss},
     sum_over_samples},
    {"loss-mean-over-outputs",
     "the loss is the mean over samples and outputs, expected the sum over the outputs and the mean over the "
     "samples",
     {kLoss},
     mean_over_outputs},
    {"loss-halved", "the loss without its L2 term is half as large", {kLoss}, half_of_data},
    {"loss-doubled", "the loss without its L2 term is twice as large", {kLoss}, twice_data},
    {"loss-sign",
     "the sign of the loss without its L2 term is wrong: -log p, not log p",
     {kLoss},
     minus_data},
    {"loss-one-class",
     "only samples of class 1 count: -(1 - t) log(1 - p) is left out",
     {kLoss},
     one_class_alone},
    {"log-base-2", "the logarithm is to base 2, expected the natural one", {kLoss}, base_two},
    {"log-base-10", "the logarithm is to base 10, expected the natural one", {kLoss}, base_ten},
    {"label-smoothing-missing", "the labels are not smoothed", {kLoss}, no_smoothing},
    {"output-derivative-twice",
     "the derivative p (1 - p) of the sigmoid or softmax is multiplied in once more: p - t has it in it "
     "already",
     {kGradient},
     times_slope_of_sigmoid},
    {"output-derivative-missing",
     "this is the derivative by the probabilities: softmax's or sigmoid's own derivative is left out "
     "(together they "
     "are p - t)",
     {kGradient},
     by_probabilities},
    {"softmax-diagonal",
     "softmax's derivative is taken as p (1 - p), its diagonal alone: each output changes all probabilities "
     "(together "
     "they are p - t)",
     {kGradient},
     diagonal_of_softmax},
    {"outputs-for-probabilities",
     "the outputs are used for probabilities: softmax or sigmoid is left out",
     {kGradient},
     outputs_for_probabilities},
    {"targets-not-subtracted", "the targets are not subtracted", {kGradient}, targets_left_out},
    {"label-smoothing-missing", "the labels are not smoothed", {kGradient}, gradient_without_smoothing},
};

}  // namespace

std::span<const Hypothesis> loss_hypotheses() { return kTable; }

}  // namespace lockstep::compare
