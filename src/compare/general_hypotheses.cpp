#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compare/hypotheses.h"
#include "compare/numbers.h"

namespace lockstep::compare {
namespace {

using Predictions = std::vector<Prediction>;

Predictions times(const Case& of, double factor) {
  if (factor == 1.0 || !std::isfinite(factor)) return {};
  return {{mapped(of.expected, [factor](double x) { return factor * x; })}};
}

double outputs(const Case& of) { return static_cast<double>(of.model().outputs()); }

Predictions negative(const Case& of) { return times(of, -1.0); }
Predictions times_batch(const Case& of) { return times(of, of.rows()); }
Predictions over_batch(const Case& of) { return times(of, 1.0 / of.rows()); }
Predictions doubled(const Case& of) { return times(of, 2.0); }
Predictions halved(const Case& of) { return times(of, 0.5); }
Predictions times_outputs(const Case& of) { return times(of, outputs(of)); }
Predictions over_outputs(const Case& of) { return times(of, 1.0 / outputs(of)); }
Predictions over_units(const Case& of) {
  if (of.array.shape.size() < 2) return {};
  return times(of, 1.0 / static_cast<double>(of.array.shape[1]));
}
Predictions micro_batch(const Case& of) {
  return times(of, static_cast<double>(of.start.micro_batches.size()));
}
Predictions times_rate(const Case& of) { return times(of, of.start.learning_rate); }
Predictions minus_rate(const Case& of) { return times(of, -of.start.learning_rate); }

Predictions transposed(const Case& of) {
  const auto& shape = of.array.shape;
  if (shape.size() != 2 || shape[0] != shape[1]) return {};
  Prediction prediction{of.expected};
  for (std::size_t i = 0; i < shape[0]; ++i)
    for (std::size_t j = 0; j < shape[1]; ++j)
      prediction.values[i * shape[1] + j] = of.expected[j * shape[1] + i];
  return {prediction};
}

// The expected rows (or numbers, of one dimension) as they fit the file's best, each taken once: both in the
// order of their numbers.
Predictions in_another_order(const Case& of) {
  if (of.found == nullptr || of.array.shape.empty() || of.array.shape[0] < 2) return {};
  const std::size_t rows = of.array.shape[0], width = of.expected.size() / rows;
  if (width == 0) return {};
  const auto order_of = [&](const std::vector<double>& x) {
    std::vector<std::size_t> order(rows);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
      const double* const first = x.data() + a * width;
      const double* const second = x.data() + b * width;
      return std::lexicographical_compare(first, first + width, second, second + width);
    });
    return order;
  };
  const std::vector<std::size_t> is = order_of(*of.found), should_be = order_of(of.expected);
  if (is == should_be) return {};
  Prediction prediction{std::vector<double>(of.expected.size())};
  for (std::size_t i = 0; i < rows; ++i)
    std::copy_n(of.expected.begin() + static_cast<std::ptrdiff_t>(should_be[i] * width), width,
                prediction.values.begin() + static_cast<std::ptrdiff_t>(is[i] * width));
  return {prediction};
}

Predictions some_factor(const Case& of) {
  if (of.found == nullptr) return {};
  double product = 0.0, square = 0.0;
  for (std::size_t i = 0; i < of.expected.size(); ++i) {
    product += of.expected[i] * (*of.found)[i];
    square += of.expected[i] * of.expected[i];
  }
  if (square == 0.0 || of.expected.size() < 2) return {};
  Predictions predictions = times(of, product / square);
  if (product == 0.0) return {};
  for (Prediction& prediction : predictions) prediction.detail = fmt::format("{:.6g}", product / square);
  return predictions;
}

Predictions all_zero(const Case& of) { return {{std::vector<double>(of.expected.size())}}; }

constexpr std::initializer_list<ArrayKind> kAny = {};
constexpr std::initializer_list<ArrayKind> kGradients = {
    ArrayKind::kProbabilitiesGradient, ArrayKind::kOutputGradient, ArrayKind::kInputsGradient,
    ArrayKind::kParameterGradient};

const Hypothesis kTable[] = {
    {"not-divided-by-batch",
     "it is the batch size times as large: the sum over the samples, expected the mean", kGradients,
     times_batch},
    {"divided-by-batch-twice",
     "it is divided by the batch size once too often: the gradient of the outputs has 1/N in it already",
     kGradients, over_batch},
    {"sign", "the sign is wrong", kAny, negative},
    {"factor-2", "it is twice as large", kAny, doubled},
    {"factor-half", "it is half as large", kAny, halved},
    {"times-outputs", "it is the number of outputs times as large", kGradients, times_outputs},
    {"over-outputs",
     "it is divided by the number of outputs: a mean over samples and outputs, expected over the samples "
     "alone",
     kGradients, over_outputs},
    {"over-units", "it is divided by the number of columns: a mean over the wrong axis, or over both",
     kGradients, over_units},
    {"mean-of-micro-batch", "it is a mean over each micro-batch, expected over the whole batch", kGradients,
     micro_batch},
    {"rate-in-gradient", "it is multiplied by the learning rate already", kGradients, times_rate},
    {"rate-in-gradient", "it is the step, -rate times the gradient", kGradients, minus_rate},
    {"transposed", "it is transposed", kAny, transposed},
    {"rows-permuted", "the rows are in another order", kAny, in_another_order},
    {"zero", "it is zero throughout", kAny, all_zero},
    {"factor", "it is {} times as large", kAny, some_factor},
};

}  // namespace

std::span<const Hypothesis> general_hypotheses() { return kTable; }

}  // namespace lockstep::compare
