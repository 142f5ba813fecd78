// What every layer of a network can do.
//
// Shapes (row-major float32; B = rows of this call, any B >= 0):
//   x, dx   (B, in)
//   y, dy   (B, out)
//   params  the layer's own slice of the parameter arena: its tensors one after the other
// Scale: dy is the derivative of the mean loss over the GLOBAL batch, so it already carries 1/global_batch;
// summing gradients over blocks and ranks gives the gradient of the global mean.
//
// A layer holds sizes and no numbers. Every member is const and may run concurrently on disjoint outputs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "kernels/gemm.h"
#include "nn/gradient_sink.h"

namespace lockstep::nn {

// A parameter tensor of a layer, such as {"weight", {100, 3072}}.
struct TensorShape {
  std::string name;
  std::vector<std::size_t> shape;
};

class Layer {
 public:
  virtual ~Layer() = default;

  virtual std::size_t inputs() const = 0;
  virtual std::size_t outputs() const = 0;
  virtual std::string description() const = 0;  // such as "Dense 3072 -> 100"
  virtual std::vector<TensorShape> tensors() const { return {}; }

  // True: y takes x's place (y.data == x.data), and dx takes dy's.
  virtual bool in_place() const { return false; }

  // Overwrites y.
  virtual void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
                       int threads) const = 0;

  // Hands the gradients of its tensors to the sink, the first of them under the number first_tensor, then
  // overwrites dx. A dx without data is not computed. x and y are forward's (for a layer in place, x is
  // gone).
  virtual void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                        std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                        kernels::Matrix dx, int threads) const = 0;
};

}  // namespace lockstep::nn
