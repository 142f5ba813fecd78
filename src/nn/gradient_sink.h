// Where backward passes hand over the gradients of parameters.
#pragma once

#include <cstddef>
#include <optional>

#include "kernels/gemm.h"

namespace lockstep::nn {

// One parameter tensor's gradient as a sum over rows i, not yet summed:
//   a weight (out,in):  dW = sum_i dy_i x_iᵀ      dy (rows,out), x (rows,in), which may be windows of images
//   a bias (out):       db = sum_i dy_i           dy (rows,out), x without columns
// The views are valid during the call to add only.
struct GradientTerms {
  std::size_t tensor = 0;  // index into Model::tensors()
  kernels::ConstMatrix dy;
  kernels::ConstMatrix x = {};
  std::optional<kernels::Windows> windows = {};  // instead of x
  std::size_t rows_per_sample = 1;               // of dy; 0: each micro-batch has one, its samples' sum

  std::size_t inputs() const { return windows ? windows->cols : x.cols; }
  bool is_product() const { return inputs() > 0; }  // of dyᵀ and x; else the sum of dy's rows
};

class GradientSink {
 public:
  virtual ~GradientSink() = default;

  // By each Model::backward once for every tensor, from the arena's end to its beginning. Terms of a tensor
  // that does not learn are nobody's: they may be those of its gradient, or without rows and columns.
  virtual void add(const GradientTerms& terms) = 0;
};

}  // namespace lockstep::nn
