#include "nn/dense.h"

#include <fmt/format.h>

#include "base/error.h"
#include "kernels/arrays.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;
using kernels::Store;

Dense::Dense(std::size_t in, std::size_t out) : in_(in), out_(out) {
  require(in > 0 && out > 0, "Dense: a layer needs inputs and outputs");
}

std::string Dense::description() const { return fmt::format("Dense {} -> {}", in_, out_); }

std::vector<TensorShape> Dense::tensors() const { return {{"weight", {out_, in_}}, {"bias", {out_}}}; }

void Dense::forward(ConstMatrix x, std::span<const float> params, Matrix y, int threads) const {
  const ConstMatrix weight(params.data(), out_, in_);
  kernels::gemm(x, weight.transposed(), y, Store::kOverwrite, threads);
  kernels::add_bias(y, params.subspan(out_ * in_, out_), threads);
}

void Dense::backward(ConstMatrix x, ConstMatrix, Matrix dy, std::span<const float> params,
                     std::size_t first_tensor, GradientSink& sink, Matrix dx, int threads) const {
  sink.add({first_tensor, dy, x});
  sink.add({first_tensor + 1, dy, {}});
  if (dx.data == nullptr) return;
  const ConstMatrix weight(params.data(), out_, in_);
  kernels::gemm(dy, weight, dx, Store::kOverwrite, threads);
}

}  // namespace lockstep::nn
