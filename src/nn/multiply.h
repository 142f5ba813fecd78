// Multiplication by a constant: y = factor * x, each value by itself.
#pragma once

#include "nn/elementwise.h"

namespace lockstep::nn {

class Multiply final : public Elementwise {
 public:
  Multiply(double factor, std::size_t width) : Elementwise(width), factor_(factor) {}

  std::string description() const override;

  void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
               const PassContext& pass) const override;

  // dx = factor * dy.
  void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                kernels::Matrix dx, const PassContext& pass) const override;

  void forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                         const PassContext& pass) const override;
  void backward_in_double(std::span<const double> x, std::span<const double> y, std::span<const double> dy,
                          std::span<const double> params, std::span<double> dparams, std::span<double> dx,
                          const PassContext& pass) const override;

 private:
  double factor_;
};

}  // namespace lockstep::nn
