#include "nn/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

namespace {

template <typename T>
std::span<T> all(kernels::BasicMatrix<T> x) {
  return {x.data, x.rows * x.cols};
}

kernels::PoolShape checked(const ImageShape& in, std::size_t size, std::size_t stride) {
  if (size > in.height || size > in.width)
    throw ConfigError(
        fmt::format("a pooling layer of size {} meets images of {} x {} pixels, expected larger ones", size,
                    in.height, in.width));
  return {in.height, in.width, in.channels, size, size, stride};
}

}  // namespace

Pool::Pool(Kind kind, const kernels::PoolShape& shape) : kind_(kind), shape_(shape) {
  require(shape.inputs() > 0 && shape.window_height > 0 && shape.window_width > 0 && shape.stride > 0,
          "Pool: a layer needs pixels, a size and a stride");
}

Pool::Pool(Kind kind, const ImageShape& in, std::size_t size, std::size_t stride)
    : Pool(kind, checked(in, size, stride)) {}

Pool Pool::global_average(const ImageShape& in) {
  return {Kind::kAverage, {in.height, in.width, in.channels, in.height, in.width, 1}};
}

std::string Pool::description() const {
  return fmt::format("{} pool {}x{}x{} -> {}x{}x{}", kind_ == Kind::kMax ? "max" : "average", shape_.channels,
                     shape_.height, shape_.width, shape_.channels, shape_.rows(), shape_.cols());
}

void Pool::forward(ConstMatrix x, std::span<const float>, Matrix y, const PassContext& pass) const {
  const auto pool = kind_ == Kind::kMax ? kernels::max_pool : kernels::average_pool;
  pool(shape_, all(x), all(y), pass.threads);
}

void Pool::backward(ConstMatrix x, ConstMatrix y, Matrix dy, std::span<const float>, std::size_t,
                    GradientSink&, Matrix dx, const PassContext& pass) const {
  if (dx.data == nullptr) return;
  if (kind_ == Kind::kMax)
    kernels::max_pool_backward(shape_, all(x), all(y), all(dy), all(dx), pass.threads);
  else
    kernels::average_pool_backward(shape_, all(dy), all(dx), pass.threads);
}

void Pool::forward_in_double(std::span<const double> x, std::span<const double>, std::span<double> y,
                             const PassContext&) const {
  const std::size_t rows = shape_.rows(), cols = shape_.cols(), channels = shape_.channels;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t channel = i % channels, col = i / channels % cols, row = i / channels / cols % rows;
    const double* const image = &x[i / shape_.outputs() * shape_.inputs()];
    double sum = 0.0, largest = 0.0;
    for (std::size_t ky = 0; ky < shape_.window_height; ++ky)
      for (std::size_t kx = 0; kx < shape_.window_width; ++kx) {
        const std::size_t pixel = (row * shape_.stride + ky) * shape_.width + col * shape_.stride + kx;
        const double value = image[pixel * channels + channel];
        sum += value;
        largest = ky + kx == 0 ? value : std::max(largest, value);
      }
    y[i] =
        kind_ == Kind::kMax ? largest : sum / static_cast<double>(shape_.window_height * shape_.window_width);
  }
}

void Pool::backward_in_double(std::span<const double> x, std::span<const double> y,
                              std::span<const double> dy, std::span<const double>, std::span<double>,
                              std::span<double> dx, const PassContext&) const {
  const std::size_t rows = shape_.rows(), cols = shape_.cols(), channels = shape_.channels;
  std::fill(dx.begin(), dx.end(), 0.0);
  for (std::size_t i = 0; i < dy.size(); ++i) {
    const std::size_t channel = i % channels, col = i / channels % cols, row = i / channels / cols % rows;
    const std::size_t image = i / shape_.outputs() * shape_.inputs();
    bool found = false;  // the first of the largest
    for (std::size_t ky = 0; ky < shape_.window_height; ++ky)
      for (std::size_t kx = 0; kx < shape_.window_width; ++kx) {
        const std::size_t pixel = (row * shape_.stride + ky) * shape_.width + col * shape_.stride + kx;
        const std::size_t from = image + pixel * channels + channel;
        if (kind_ == Kind::kAverage)
          dx[from] += dy[i] / static_cast<double>(shape_.window_height * shape_.window_width);
        else if (x[from] == y[i] && !std::exchange(found, true))
          dx[from] += dy[i];
      }
  }
}

}  // namespace lockstep::nn
