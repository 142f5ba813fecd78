#include "nn/multiply.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "kernels/arrays.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

std::string Multiply::description() const { return fmt::format("multiply by {:g}", factor_); }

void Multiply::forward(ConstMatrix x, std::span<const float>, Matrix y, const PassContext& pass) const {
  const std::size_t size = y.rows * y.cols;
  if (x.data != y.data) std::copy_n(x.data, size, y.data);
  kernels::multiply({y.data, size}, static_cast<float>(factor_), pass.threads);
}

void Multiply::backward(ConstMatrix, ConstMatrix, Matrix dy, std::span<const float>, std::size_t,
                        GradientSink&, Matrix dx, const PassContext& pass) const {
  require(dx.data == dy.data, "Multiply: dx takes dy's place");
  kernels::multiply({dy.data, dy.rows * dy.cols}, static_cast<float>(factor_), pass.threads);
}

void Multiply::forward_in_double(std::span<const double> x, std::span<const double>, std::span<double> y,
                                 const PassContext&) const {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = factor_ * x[i];
}

void Multiply::backward_in_double(std::span<const double>, std::span<const double>,
                                  std::span<const double> dy, std::span<const double>, std::span<double>,
                                  std::span<double> dx, const PassContext&) const {
  for (std::size_t i = 0; i < dy.size(); ++i) dx[i] = factor_ * dy[i];
}

}  // namespace lockstep::nn
