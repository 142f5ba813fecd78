// Where backward passes hand over the gradients of parameters.
#pragma once

#include <cstddef>

#include "kernels/gemm.h"

namespace lockstep::nn {

// One parameter tensor's gradient as a sum over rows i of the batch, not yet summed:
//   a weight (out,in):  dW = sum_i dy_i x_iᵀ      dy (B,out), x (B,in)
//   a bias (out):       db = sum_i dy_i           dy (B,out), x without columns
// The views are valid during the call to add only.
struct GradientTerms {
  std::size_t tensor = 0;  // index into Model::tensors()
  kernels::ConstMatrix dy;
  kernels::ConstMatrix x;

  bool is_product() const { return x.cols > 0; }  // of dyᵀ and x; else the sum of dy's rows
};

class GradientSink {
 public:
  virtual ~GradientSink() = default;

  // By each Model::backward once for every tensor, from the arena's end to its beginning.
  virtual void add(const GradientTerms& terms) = 0;
};

}  // namespace lockstep::nn
