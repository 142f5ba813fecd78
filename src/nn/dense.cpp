#include "nn/dense.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "kernels/arrays.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;
using kernels::Store;

Dense::Dense(std::size_t in, std::size_t out, Initializer weight, std::optional<Initializer> bias)
    : in_(in), out_(out), weight_(weight), bias_(bias) {
  require(in > 0 && out > 0, "Dense: a layer needs inputs and outputs");
}

std::string Dense::description() const {
  return fmt::format("Dense {} -> {}{}", in_, out_, bias_ ? "" : ", no bias");
}

std::vector<Tensor> Dense::tensors() const {
  std::vector<Tensor> tensors = {{.name = "weight",
                                  .shape = {out_, in_},
                                  .init = weight_,
                                  .fan_in = in_,
                                  .fan_out = out_,
                                  .weight_decay_factor = 1.0}};
  if (bias_)
    tensors.push_back({.name = "bias", .shape = {out_}, .init = *bias_, .fan_in = in_, .fan_out = out_});
  return tensors;
}

void Dense::forward(ConstMatrix x, std::span<const float> params, Matrix y, const PassContext& pass) const {
  const ConstMatrix weight(params.data(), out_, in_);
  constexpr std::size_t kSlice = 128;  // rows: not fewer, for each slice is a product that packs x once more
  for (std::size_t begin = 0, end = 0; begin < out_; begin = end) {
    const std::size_t least = std::min(begin + kSlice, out_);
    end = pass.wait_for(params.first(out_ * in_), least * in_) / in_;
    kernels::gemm(x, weight.row_range(begin, end - begin).transposed(), y.col_range(begin, end - begin),
                  Store::kOverwrite, pass.threads);
  }
  pass.wait_for(params, params.size());
  if (bias_) kernels::add_bias(y, params.subspan(out_ * in_, out_), pass.threads);
}

void Dense::backward(ConstMatrix x, ConstMatrix, Matrix dy, std::span<const float> params,
                     std::size_t first_tensor, GradientSink& sink, Matrix dx, const PassContext& pass) const {
  if (bias_) sink.add({first_tensor + 1, dy, {}});
  sink.add({first_tensor, dy, x});
  if (dx.data == nullptr) return;
  const ConstMatrix weight(params.data(), out_, in_);
  kernels::gemm(dy, weight, dx, Store::kOverwrite, pass.threads);
}

void Dense::forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                              const PassContext&) const {
  for (std::size_t i = 0; i < y.size() / out_; ++i) {
    for (std::size_t k = 0; k < out_; ++k) {
      double sum = bias_ ? params[out_ * in_ + k] : 0.0;
      for (std::size_t j = 0; j < in_; ++j) sum += x[i * in_ + j] * params[k * in_ + j];
      y[i * out_ + k] = sum;
    }
  }
}

void Dense::backward_in_double(std::span<const double> x, std::span<const double>, std::span<const double> dy,
                               std::span<const double> params, std::span<double> dparams,
                               std::span<double> dx, const PassContext&) const {
  std::fill(dx.begin(), dx.end(), 0.0);
  for (std::size_t i = 0; i < dy.size() / out_; ++i) {
    for (std::size_t k = 0; k < out_; ++k) {
      const double slope = dy[i * out_ + k];
      for (std::size_t j = 0; j < in_; ++j) dx[i * in_ + j] += slope * params[k * in_ + j];
      for (std::size_t j = 0; j < in_; ++j) dparams[k * in_ + j] += slope * x[i * in_ + j];
      if (bias_) dparams[out_ * in_ + k] += slope;
    }
  }
}

}  // namespace lockstep::nn
