#include "nn/pointwise.h"

#include "base/error.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

void Pointwise::forward(ConstMatrix x, std::span<const float>, Matrix y, int threads) const {
  require(x.data == y.data, "Pointwise: works in place");
  kernels::activate(activation_, {y.data, y.rows * y.cols}, threads);
}

void Pointwise::backward(ConstMatrix, ConstMatrix y, Matrix dy, std::span<const float>, std::size_t,
                         GradientSink&, Matrix dx, int threads) const {
  require(dx.data == nullptr || dx.data == dy.data, "Pointwise: works in place");
  kernels::activate_backward(activation_, {y.data, y.rows * y.cols}, {dy.data, dy.rows * dy.cols}, threads);
}

}  // namespace lockstep::nn
