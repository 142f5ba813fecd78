#include "train/gradient_norms.h"

#include <algorithm>
#include <cmath>

#include "base/simd.h"
#include "kernels/arrays.h"

namespace lockstep::train {

std::vector<double> squared_norms(const reduce::Reducer& reducer, const std::vector<nn::Tensor>& tensors,
                                  int threads) {
  constexpr std::size_t kPart = 4096;  // floats, of which each has a sum of its own
  std::vector<double> squares(tensors.size());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const nn::Tensor& tensor = tensors[t];
    if (!tensor.learns()) continue;
    std::vector<double> parts((tensor.size + kPart - 1) / kPart);
    parallel_ranges(parts.size(), 1, threads, [&](std::size_t begin, std::size_t end) {
      alignas(64) float scratch[kPart];
      for (std::size_t p = begin; p < end; ++p) {
        const std::size_t first = p * kPart, size = std::min(kPart, tensor.size - first);
        parts[p] = kernels::sum_of_squares(
            reducer.read(t, tensor.offset + first, std::span(scratch).first(size)), 1);
      }
    });
    for (const double part : parts) squares[t] += part;
  }
  return squares;
}

double clip_factor(double clip_norm, std::span<const double> squared_norms) {
  if (clip_norm == 0.0) return 1.0;
  double sum = 0.0;
  for (const double square : squared_norms) sum += square;
  return std::min(1.0, clip_norm / (std::sqrt(sum) + 1e-6));
}

}  // namespace lockstep::train
