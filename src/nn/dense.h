// Dense (fully connected) layer: y = x Wᵀ + b for each row of x.
//
// Parameters: weight W (out, in), then, unless it has none, bias b (out).
// Cost in multiply-adds: forward B*in*out; backward twice that, once when dx is not computed.
#pragma once

#include <optional>

#include "nn/layer.h"

namespace lockstep::nn {

class Dense final : public Layer {
 public:
  // Throws ShapeError if a size is 0.
  Dense(std::size_t in, std::size_t out, Initializer weight, std::optional<Initializer> bias);

  std::size_t inputs() const override { return in_; }
  std::size_t outputs() const override { return out_; }
  std::string description() const override;
  std::vector<Tensor> tensors() const override;
  bool waits_for_parameters() const override { return true; }

  // Where rows of W are still to come, the outputs of those that are there come first.
  void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
               const PassContext& pass) const override;

  // dW = dyᵀ x,  db = sum_i dy_i,  dx = dy W.
  // Source: Goodfellow, Bengio, Courville, Deep Learning (2016), 6.5.6.
  void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                kernels::Matrix dx, const PassContext& pass) const override;

  void forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                         const PassContext& pass) const override;
  void backward_in_double(std::span<const double> x, std::span<const double> y, std::span<const double> dy,
                          std::span<const double> params, std::span<double> dparams, std::span<double> dx,
                          const PassContext& pass) const override;

 private:
  std::size_t in_, out_;
  Initializer weight_;
  std::optional<Initializer> bias_;
};

}  // namespace lockstep::nn
