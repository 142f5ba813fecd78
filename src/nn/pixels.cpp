#include "nn/pixels.h"

#include <fmt/format.h>

#include "base/simd.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

namespace {

// to (cols, rows) = the transpose of from (rows, cols), of each sample.
template <typename T>
void transpose_samples(const T* from, std::size_t samples, std::size_t rows, std::size_t cols, T* to,
                       int threads) {
  parallel_ranges(samples, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t n = begin * rows * cols; n < end * rows * cols; n += rows * cols)
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < cols; ++j) to[n + j * rows + i] = from[n + i * cols + j];
  });
}

}  // namespace

std::string Pixels::description() const {
  return to_ == To::kPixels ? fmt::format("image {}x{}x{}", shape_.channels, shape_.height, shape_.width)
                            : "flatten";
}

void Pixels::forward(ConstMatrix x, std::span<const float>, Matrix y, const PassContext& pass) const {
  const bool to_pixels = to_ == To::kPixels;
  transpose_samples(x.data, x.rows, to_pixels ? shape_.channels : shape_.pixels(),
                    to_pixels ? shape_.pixels() : shape_.channels, y.data, pass.threads);
}

void Pixels::backward(ConstMatrix, ConstMatrix, Matrix dy, std::span<const float>, std::size_t, GradientSink&,
                      Matrix dx, const PassContext& pass) const {
  if (dx.data == nullptr) return;
  const bool to_pixels = to_ == To::kPixels;
  transpose_samples<float>(dy.data, dy.rows, to_pixels ? shape_.pixels() : shape_.channels,
                           to_pixels ? shape_.channels : shape_.pixels(), dx.data, pass.threads);
}

void Pixels::forward_in_double(std::span<const double> x, std::span<const double>, std::span<double> y,
                               const PassContext&) const {
  const bool to_pixels = to_ == To::kPixels;
  transpose_samples(x.data(), x.size() / shape_.size(), to_pixels ? shape_.channels : shape_.pixels(),
                    to_pixels ? shape_.pixels() : shape_.channels, y.data(), 1);
}

void Pixels::backward_in_double(std::span<const double>, std::span<const double>, std::span<const double> dy,
                                std::span<const double>, std::span<double>, std::span<double> dx,
                                const PassContext&) const {
  const bool to_pixels = to_ == To::kPixels;
  transpose_samples(dy.data(), dy.size() / shape_.size(), to_pixels ? shape_.pixels() : shape_.channels,
                    to_pixels ? shape_.channels : shape_.pixels(), dx.data(), 1);
}

}  // namespace lockstep::nn
