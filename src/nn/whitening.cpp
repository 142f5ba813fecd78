#include "nn/whitening.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/eigen.h"

namespace lockstep::nn {
namespace {

// Adds p pᵀ, for every patch p of an image, to the upper triangle of sums (n, n); patch (n) is scratch.
void add_moments(const ImageShape& shape, std::size_t size, std::span<const float> image,
                 std::span<double> patch, std::span<double> sums) {
  const std::size_t n = patch.size();
  for (std::size_t row = 0; row + size <= shape.height; ++row)
    for (std::size_t col = 0; col + size <= shape.width; ++col) {
      double* to = patch.data();
      for (std::size_t c = 0; c < shape.channels; ++c)
        for (std::size_t ky = 0; ky < size; ++ky)
          to = std::copy_n(&image[(c * shape.height + row + ky) * shape.width + col], size, to);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i; j < n; ++j) sums[i * n + j] += patch[i] * patch[j];
    }
}

}  // namespace

std::vector<float> whitening_filters(const ImageShape& shape, std::size_t size, double epsilon,
                                     std::size_t count,
                                     const std::function<std::span<const float>(std::size_t)>& image) {
  const std::size_t n = shape.channels * size * size;
  std::vector<double> moments(n * n), patch(n);
  for (std::size_t i = 0; i < count; ++i) add_moments(shape, size, image(i), patch, moments);
  const auto patches = static_cast<double>(count * (shape.height - size + 1) * (shape.width - size + 1));
  for (double& moment : moments) moment /= patches;
  if (!std::ranges::all_of(moments, [](double x) { return std::isfinite(x); }))
    throw DataError(
        "the training images have pixels that are not finite, expected numbers that a whiten layer can use");

  const kernels::Eigen eigen = kernels::eigen_of_symmetric(std::move(moments), n);
  std::vector<float> filters(2 * n * n);
  for (std::size_t k = 0; k < n; ++k) {
    const double root =
        std::sqrt(std::max(eigen.values[k], 0.0) + epsilon);  // rounding may leave a 0 below 0
    for (std::size_t i = 0; i < n; ++i) {
      filters[k * n + i] = static_cast<float>(eigen.vectors[k * n + i] / root);
      filters[(n + k) * n + i] = -filters[k * n + i];
    }
  }
  return filters;
}

}  // namespace lockstep::nn
