#include "nn/conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/error.h"
#include "base/simd.h"
#include "kernels/arrays.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;
using kernels::Store;
using kernels::Windows;

namespace {

// How many windows fit side by side.
std::size_t windows_along(std::size_t length, const ConvGeometry& geometry) {
  const std::size_t padded = length + geometry.padding_before + geometry.padding_after;
  if (padded < geometry.size)
    throw ConfigError(
        fmt::format("a convolution of size {} meets images of {} pixels across, {} with their padding, "
                    "expected at least {}",
                    geometry.size, length, padded, geometry.size));
  return (padded - geometry.size) / geometry.stride + 1;
}

// y (filters) += x (channels) times weights (channels, filters).
LOCKSTEP_CLONES void add_products(const double* x, const double* weights, std::size_t channels,
                                  std::size_t filters, double* y) {
  for (std::size_t c = 0; c < channels; ++c, weights += filters)
    for (std::size_t f = 0; f < filters; ++f) y[f] += x[c] * weights[f];
}

}  // namespace

Conv::Conv(const ImageShape& in, const ConvGeometry& geometry, Initializer weight,
           std::optional<Initializer> bias)
    : in_(in),
      out_{geometry.filters, windows_along(in.height, geometry) - geometry.unread_rows,
           windows_along(in.width, geometry) - geometry.unread_cols},
      geometry_(geometry),
      weight_(weight),
      bias_(bias) {
  require(in.size() > 0 && geometry.filters > 0 && geometry.size > 0 && geometry.stride > 0,
          "Conv: a layer needs pixels, filters, a size and a stride");
}

Conv Conv::whitening(const ImageShape& in, std::size_t size, double epsilon, bool bias) {
  const std::size_t patch = in.channels * size * size;
  Conv conv(in, {.filters = 2 * patch, .size = size}, {Initializer::Kind::kWhitening, epsilon},
            bias ? std::optional(Initializer{Initializer::Kind::kZeros}) : std::nullopt);
  if (patch > 1024)
    throw ConfigError(fmt::format(
        "a whiten layer of size {} meets patches of {} numbers, expected at most 1024", size, patch));
  return conv;
}

std::string Conv::description() const {
  return fmt::format(
      "{} {}x{}x{} -> {}x{}x{}, {}x{}{}{}", whitens() ? "Whiten" : "Conv", in_.channels, in_.height,
      in_.width, out_.channels, out_.height, out_.width, geometry_.size, geometry_.size,
      geometry_.stride == 1 ? "" : fmt::format(", stride {}", geometry_.stride), bias_ ? "" : ", no bias");
}

std::vector<Tensor> Conv::tensors() const {
  const std::size_t taps = geometry_.size * geometry_.size;
  std::vector<Tensor> tensors = {{.name = "weight",
                                  .shape = {geometry_.filters, in_.channels, geometry_.size, geometry_.size},
                                  .init = weight_,
                                  .fan_in = fan_in(),
                                  .fan_out = taps * geometry_.filters,
                                  .learning_rate_factor = whitens() ? 0.0 : 1.0,
                                  .weight_decay_factor = whitens() ? 0.0 : 1.0}};
  if (bias_) tensors.push_back({.name = "bias", .shape = {geometry_.filters}, .init = *bias_});
  return tensors;
}

Windows Conv::windows_of(ConstMatrix x) const {
  return {{x.data, x.rows, in_.height, in_.width, in_.channels},
          {geometry_.size, geometry_.stride, static_cast<std::ptrdiff_t>(geometry_.padding_before),
           out_.height, out_.width, 1}};
}

// Input pixel i got dy of the windows o with o * stride + k - padding = i: with k turned round, the ones that
// a window at i - (size - 1 - padding) of the spread-out dy holds.
Windows Conv::windows_of_gradient(ConstMatrix dy) const {
  const auto padding = static_cast<std::ptrdiff_t>(geometry_.size - 1 - geometry_.padding_before);
  return {{dy.data, dy.rows, out_.height, out_.width, out_.channels},
          {geometry_.size, 1, padding, in_.height, in_.width, geometry_.stride}};
}

void Conv::forward(ConstMatrix x, std::span<const float> params, Matrix y, const PassContext& pass) const {
  const ConstMatrix weight(params.data(), geometry_.filters, fan_in());
  const Matrix pixels = by_pixel(y, out_);
  kernels::gemm(windows_of(x), weight.transposed(), pixels, Store::kOverwrite, pass.threads);
  if (bias_) kernels::add_bias(pixels, params.subspan(weight.rows * weight.cols, weight.rows), pass.threads);
}

void Conv::backward(ConstMatrix x, ConstMatrix, Matrix dy, std::span<const float> params,
                    std::size_t first_tensor, GradientSink& sink, Matrix dx, const PassContext& pass) const {
  const Matrix dy_pixels = by_pixel(dy, out_);
  if (bias_) sink.add({.tensor = first_tensor + 1, .dy = dy_pixels, .rows_per_sample = out_.pixels()});
  sink.add(
      {.tensor = first_tensor, .dy = dy_pixels, .windows = windows_of(x), .rows_per_sample = out_.pixels()});
  if (dx.data == nullptr) return;
  // The filters turned by 180 degrees, (size, size, filters) x channels.
  const std::size_t taps = geometry_.size * geometry_.size, filters = geometry_.filters,
                    channels = in_.channels;
  AlignedBuffer<float> turned(taps * filters * channels);
  for (std::size_t tap = 0; tap < taps; ++tap)
    for (std::size_t f = 0; f < filters; ++f)
      std::copy_n(params.data() + (f * taps + tap) * channels, channels,
                  turned.data() + ((taps - 1 - tap) * filters + f) * channels);
  kernels::gemm(windows_of_gradient(dy), ConstMatrix(turned.data(), taps * filters, channels),
                by_pixel(dx, in_), Store::kOverwrite, pass.threads);
}

void Conv::forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                             const PassContext&) const {
  const std::size_t size = geometry_.size, channels = in_.channels, filters = geometry_.filters;
  std::vector<double> by_tap(fan_in() * filters);  // the weights, with filters side by side
  for (std::size_t f = 0; f < filters; ++f)
    for (std::size_t k = 0; k < fan_in(); ++k) by_tap[k * filters + f] = params[f * fan_in() + k];
  std::fill(y.begin(), y.end(), 0.0);
  for (std::size_t image = 0; image < y.size() / out_.size(); ++image)
    for (std::size_t row = 0; row < out_.height; ++row)
      for (std::size_t col = 0; col < out_.width; ++col) {
        double* const to = &y[image * out_.size() + (row * out_.width + col) * filters];
        if (bias_) std::copy_n(&params[filters * fan_in()], filters, to);
        for (std::size_t ky = 0; ky < size; ++ky)
          for (std::size_t kx = 0; kx < size; ++kx) {
            const std::size_t from_row = place(row, ky), from_col = place(col, kx);
            if (from_row >= in_.height || from_col >= in_.width) continue;
            const double* const from = &x[image * in_.size() + (from_row * in_.width + from_col) * channels];
            add_products(from, &by_tap[(ky * size + kx) * channels * filters], channels, filters, to);
          }
      }
}

void Conv::backward_in_double(std::span<const double> x, std::span<const double>, std::span<const double> dy,
                              std::span<const double> params, std::span<double> dparams, std::span<double> dx,
                              const PassContext&) const {
  const std::size_t size = geometry_.size, channels = in_.channels, filters = geometry_.filters;
  std::fill(dx.begin(), dx.end(), 0.0);
  for (std::size_t i = 0; i < dy.size() / filters; ++i) {  // an output pixel
    const std::size_t col = i % out_.width, row = i / out_.width % out_.height,
                      image = i / out_.pixels() * in_.size();
    for (std::size_t f = 0; bias_ && f < filters; ++f) dparams[filters * fan_in() + f] += dy[i * filters + f];
    for (std::size_t ky = 0; ky < size; ++ky)
      for (std::size_t kx = 0; kx < size; ++kx) {
        const std::size_t from_row = place(row, ky), from_col = place(col, kx);
        if (from_row >= in_.height || from_col >= in_.width) continue;
        const std::size_t from = image + (from_row * in_.width + from_col) * channels;
        for (std::size_t f = 0; f < filters; ++f) {
          const double slope = dy[i * filters + f];
          const std::size_t weight = (f * size + ky) * size + kx;
          for (std::size_t c = 0; c < channels; ++c) {
            dx[from + c] += slope * params[weight * channels + c];
            dparams[weight * channels + c] += slope * x[from + c];
          }
        }
      }
  }
}

}  // namespace lockstep::nn
