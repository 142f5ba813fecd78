#include "kernels/loss.h"

#include <algorithm>
#include <vector>

#include "base/elementary.h"
#include "base/error.h"
#include "kernels/simd.h"

namespace lockstep::kernels {
namespace {

constexpr std::size_t kGrain = 16;  // rows

// Returns -log softmax(o)[label]; the maximum is subtracted first, so that no exponential overflows.
double cross_entropy_row(const float* o, std::size_t classes, std::size_t label, double scale,
                         float* gradient, double* exponentials) {
  const double largest = *std::max_element(o, o + classes);
  double sum = 0.0;
  for (std::size_t k = 0; k < classes; ++k) sum += exponentials[k] = stable_exp(o[k] - largest);
  if (gradient != nullptr) {
    for (std::size_t k = 0; k < classes; ++k) {
      const double target = k == label ? 1.0 : 0.0;
      gradient[k] = static_cast<float>(scale * (exponentials[k] / sum - target));
    }
  }
  return stable_log(sum) - (o[label] - largest);
}

// Returns factor * sum_k (o_k - t_k)^2.
double squared_error_row(const float* o, std::size_t classes, std::size_t label, double factor, double scale,
                         float* gradient) {
  double sum = 0.0;
  for (std::size_t k = 0; k < classes; ++k) {
    const double error = o[k] - (k == label ? 1.0 : 0.0);
    sum += error * error;
    if (gradient != nullptr) gradient[k] = static_cast<float>(scale * factor * 2.0 * error);
  }
  return factor * sum;
}

}  // namespace

std::string_view name(Loss loss) {
  switch (loss) {
    case Loss::kCrossEntropy:
      return "cross_entropy";
    case Loss::kMse:
      return "mse";
    case Loss::kHalfMse:
      return "half_mse";
  }
  return "?";
}

LossSums evaluate_loss(Loss loss, ConstMatrix outputs, std::span<const std::uint8_t> labels, double scale,
                       Matrix gradient, int threads) {
  require(labels.size() == outputs.rows, "evaluate_loss: one label a row is needed");
  require(gradient.data == nullptr || (gradient.rows == outputs.rows && gradient.cols == outputs.cols),
          "evaluate_loss: outputs and gradient differ in shape");
  const std::size_t classes = outputs.cols;
  LossSums total;
  parallel_ranges(outputs.rows, kGrain, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<double> exponentials(classes);
    LossSums part;
    for (std::size_t i = begin; i < end; ++i) {
      const float* o = outputs.data + i * outputs.row_stride;
      float* g = gradient.data == nullptr ? nullptr : gradient.data + i * gradient.row_stride;
      const std::size_t label = labels[i];
      switch (loss) {
        case Loss::kCrossEntropy:
          part.loss.add(cross_entropy_row(o, classes, label, scale, g, exponentials.data()));
          break;
        case Loss::kMse:
          part.loss.add(squared_error_row(o, classes, label, 1.0, scale, g));
          break;
        case Loss::kHalfMse:
          part.loss.add(squared_error_row(o, classes, label, 0.5, scale, g));
          break;
      }
      part.correct += std::max_element(o, o + classes) - o == static_cast<std::ptrdiff_t>(label);
    }
    part.samples = static_cast<std::int64_t>(end - begin);
#pragma omp critical(lockstep_loss_sums)
    total.add(part);
  });
  return total;
}

}  // namespace lockstep::kernels
