// Residual addition (He et al., CVPR 2016): the layer's input plus the output of an earlier layer. A layer
// sees its own input alone: this one passes it on, and the model, which has all outputs, adds the other
// (skips.h).
#pragma once

#include <string>
#include <utility>

#include "nn/elementwise.h"

namespace lockstep::nn {

class Add final : public Elementwise {
 public:
  // from: the other layer's name.
  Add(std::string from, std::size_t width) : Elementwise(width), from_(std::move(from)) {}

  std::string description() const override;

  void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
               const PassContext& pass) const override;

  // dx = dy. The model hands dy to the other layer, too.
  void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                kernels::Matrix dx, const PassContext& pass) const override;

  void forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                         const PassContext& pass) const override;
  void backward_in_double(std::span<const double> x, std::span<const double> y, std::span<const double> dy,
                          std::span<const double> params, std::span<double> dparams, std::span<double> dx,
                          const PassContext& pass) const override;

 private:
  std::string from_;
};

}  // namespace lockstep::nn
