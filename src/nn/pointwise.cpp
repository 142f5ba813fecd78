#include "nn/pointwise.h"

#include <algorithm>

#include "base/error.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

void Pointwise::forward(ConstMatrix x, std::span<const float>, Matrix y, const PassContext& pass) const {
  const std::size_t size = y.rows * y.cols;
  if (x.data != y.data) std::copy_n(x.data, size, y.data);
  kernels::activate(activation_, {y.data, size}, pass.threads, parameters_);
}

void Pointwise::backward(ConstMatrix x, ConstMatrix y, Matrix dy, std::span<const float>, std::size_t,
                         GradientSink&, Matrix dx, const PassContext& pass) const {
  require(dx.data == dy.data, "Pointwise: dx takes dy's place");
  kernels::activate_backward(activation_, {keeps_input() ? x.data : y.data, y.rows * y.cols},
                             {dy.data, dy.rows * dy.cols}, pass.threads, parameters_);
}

void Pointwise::forward_in_double(std::span<const double> x, std::span<const double>, std::span<double> y,
                                  const PassContext&) const {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = kernels::activate(activation_, x[i], parameters_);
}

void Pointwise::backward_in_double(std::span<const double> x, std::span<const double>,
                                   std::span<const double> dy, std::span<const double>, std::span<double>,
                                   std::span<double> dx, const PassContext&) const {
  for (std::size_t i = 0; i < dy.size(); ++i) dx[i] = dy[i] * kernels::slope(activation_, x[i], parameters_);
}

}  // namespace lockstep::nn
