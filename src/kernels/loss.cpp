#include "kernels/loss.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/elementary.h"
#include "base/error.h"
#include "base/simd.h"

namespace lockstep::kernels {
namespace {

constexpr std::size_t kValuesOfAThread = 1024;  // an exponential each

// Each of these returns a sample's loss and, unless `slopes` is empty, overwrites it with the derivatives by
// the outputs.

// The maximum is subtracted first, so that no exponential overflows.
double cross_entropy(std::span<const double> o, std::size_t label, double smoothing,
                     std::span<double> slopes) {
  const double largest = *std::max_element(o.begin(), o.end());
  double sum = 0.0;
  for (std::size_t k = 0; k < o.size(); ++k) {
    const double exponential = stable_exp(o[k] - largest);
    sum += exponential;
    if (!slopes.empty()) slopes[k] = exponential;
  }
  const double elsewhere = smoothing / static_cast<double>(o.size()), at_label = 1.0 - smoothing + elsewhere;
  for (std::size_t k = 0; k < slopes.size(); ++k)
    slopes[k] = slopes[k] / sum - (k == label ? at_label : elsewhere);
  if (smoothing == 0.0) return stable_log(sum) - (o[label] - largest);
  double expected = 0.0;  // output, with the targets as probabilities
  for (std::size_t k = 0; k < o.size(); ++k)
    expected += (k == label ? at_label : elsewhere) * (o[k] - largest);
  return stable_log(sum) - expected;
}

// log(1 + e) for 0 <= e <= 1. Where 1 + e loses digits of e, what it lost is made good (Higham, Accuracy and
// Stability of Numerical Algorithms (2002), 1.14.1).
double log1p(double e) {
  const double sum = 1.0 + e;
  return sum == 1.0 ? e : stable_log(sum) * (e / (sum - 1.0));
}

// With e = e^-|o| both sigmoid(o) and 1 - sigmoid(o) come without cancellation, and no exponential overflows.
double binary_cross_entropy(double o, double target, std::span<double> slopes) {
  const double e = stable_exp(-std::fabs(o));
  if (!slopes.empty()) {
    const double larger = 1.0 / (1.0 + e), smaller = e / (1.0 + e);
    const double p = o >= 0.0 ? larger : smaller, complement = o >= 0.0 ? smaller : larger;
    slopes[0] = (1.0 - target) * p - target * complement;
  }
  return std::max(o, 0.0) - o * target + log1p(e);
}

double squared_error(std::span<const double> o, double target, double factor, std::span<double> slopes) {
  double sum = 0.0;
  for (std::size_t k = 0; k < o.size(); ++k) {
    const double wanted = o.size() == 1 ? target : k == static_cast<std::size_t>(target) ? 1.0 : 0.0;
    const double error = o[k] - wanted;
    sum += error * error;
    if (!slopes.empty()) slopes[k] = factor * 2.0 * error;
  }
  return factor * sum;
}

double evaluate_sample(Loss loss, std::span<const double> o, double target, double smoothing,
                       std::span<double> slopes) {
  switch (loss) {
    case Loss::kCrossEntropy:
      return cross_entropy(o, static_cast<std::size_t>(target), smoothing, slopes);
    case Loss::kBinaryCrossEntropy:
      return binary_cross_entropy(o[0], target, slopes);
    case Loss::kMse:
      return squared_error(o, target, 1.0, slopes);
    case Loss::kHalfMse:
      return squared_error(o, target, 0.5, slopes);
  }
  return 0.0;
}

}  // namespace

std::string_view name(Loss loss) {
  switch (loss) {
    case Loss::kCrossEntropy:
      return "cross_entropy";
    case Loss::kBinaryCrossEntropy:
      return "binary_cross_entropy";
    case Loss::kMse:
      return "mse";
    case Loss::kHalfMse:
      return "half_mse";
  }
  return "?";
}

std::size_t predicted_class(Loss loss, std::span<const float> outputs) {
  if (outputs.size() == 1) return outputs[0] > (loss == Loss::kBinaryCrossEntropy ? 0.0F : 0.5F) ? 1 : 0;
  return static_cast<std::size_t>(std::max_element(outputs.begin(), outputs.end()) - outputs.begin());
}

std::size_t place_of_class(std::span<const float> outputs, std::size_t label) {
  std::size_t before = 0;
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (k < label ? !(outputs[k] < outputs[label]) : k > label && !(outputs[k] <= outputs[label])) ++before;
  return before;
}

void class_probabilities(Loss loss, std::span<const float> outputs, std::span<double> probabilities) {
  require(probabilities.size() == std::max<std::size_t>(outputs.size(), 2),
          "class_probabilities: the classes do not fit probabilities");
  if (outputs.size() == 1) {
    const double o = outputs[0];
    probabilities[1] = loss == Loss::kBinaryCrossEntropy ? 1.0 / (1.0 + stable_exp(-o)) : o;
    probabilities[0] = 1.0 - probabilities[1];
    return;
  }
  std::copy(outputs.begin(), outputs.end(), probabilities.begin());
  if (loss != Loss::kCrossEntropy) return;
  const double largest = *std::max_element(probabilities.begin(), probabilities.end());
  double sum = 0.0;
  for (double& p : probabilities) sum += p = stable_exp(p - largest);
  for (double& p : probabilities) p /= sum;
}

double sample_loss(Loss loss, std::span<const double> outputs, double target, double label_smoothing,
                   std::span<double> slopes) {
  return evaluate_sample(loss, outputs, target, label_smoothing, slopes);
}

LossSums evaluate_loss(Loss loss, ConstMatrix outputs, std::span<const float> targets, double scale,
                       Matrix gradient, int threads, double label_smoothing) {
  require(targets.size() == outputs.rows, "evaluate_loss: one target per row is needed");
  require(gradient.data == nullptr || (gradient.rows == outputs.rows && gradient.cols == outputs.cols),
          "evaluate_loss: outputs and gradient differ in shape");
  LossSums total;
  parallel_ranges(outputs.rows, rows_worth_a_thread(outputs.cols, kValuesOfAThread), threads,
                  [&](std::size_t begin, std::size_t end) {
                    std::vector<double> row(outputs.cols),
                        slopes(gradient.data == nullptr ? 0 : outputs.cols);
                    LossSums part;
                    for (std::size_t i = begin; i < end; ++i) {
                      const std::span o(outputs.data + i * outputs.row_stride, outputs.cols);
                      std::copy(o.begin(), o.end(), row.begin());
                      part.loss.add(evaluate_sample(loss, row, targets[i], label_smoothing, slopes));
                      for (std::size_t k = 0; k < slopes.size(); ++k)
                        gradient.data[i * gradient.row_stride + k] = static_cast<float>(scale * slopes[k]);
                      part.correct += static_cast<float>(predicted_class(loss, o)) == targets[i];
                    }
                    part.samples = static_cast<std::int64_t>(end - begin);
#pragma omp critical(lockstep_loss_sums)
                    total.add(part);
                  });
  return total;
}

}  // namespace lockstep::kernels
