// Where backward passes hand over the gradients of parameters.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/gemm.h"

namespace lockstep::nn {

// One parameter tensor's gradient as a sum over rows i of the batch, not yet summed:
//   a weight (out,in):  dW = sum_i dy_i x_iᵀ      dy (B,out), x (B,in)
//   a bias (out):       db = sum_i dy_i           dy (B,out), x without data
// The views are valid during the call to add only.
struct GradientTerms {
  std::size_t tensor = 0;  // index into Model::tensors()
  kernels::ConstMatrix dy;
  kernels::ConstMatrix x;
};

class GradientSink {
 public:
  virtual ~GradientSink() = default;

  // The rows of the terms that follow, up to the next call, are these blocks one after the other: block k has
  // block_rows[k] >= 1 rows. Before each Model::backward.
  virtual void start_pass(std::span<const std::size_t> block_rows) = 0;
  // Once for every tensor, from the arena's end to its beginning.
  virtual void add(const GradientTerms& terms) = 0;
};

}  // namespace lockstep::nn
