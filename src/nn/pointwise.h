// A nonlinearity applied to each value of the rows: y = f(x). kernels/activation.h has the formulas.
#pragma once

#include "kernels/activation.h"
#include "nn/elementwise.h"

namespace lockstep::nn {

class Pointwise final : public Elementwise {
 public:
  Pointwise(kernels::Activation activation, const kernels::ActivationParameters& parameters,
            std::size_t width)
      : Elementwise(width), activation_(activation), parameters_(parameters) {}

  kernels::Activation activation() const { return activation_; }
  const kernels::ActivationParameters& parameters() const { return parameters_; }
  std::string description() const override { return std::string(kernels::name(activation_)); }
  bool keeps_output() const override { return !keeps_input(); }
  bool keeps_input() const override { return kernels::slope_from_input(activation_); }

  void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
               const PassContext& pass) const override;

  // dx = dy * f'(x), from y or x.
  void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                kernels::Matrix dx, const PassContext& pass) const override;

  void forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                         const PassContext& pass) const override;
  void backward_in_double(std::span<const double> x, std::span<const double> y, std::span<const double> dy,
                          std::span<const double> params, std::span<double> dparams, std::span<double> dx,
                          const PassContext& pass) const override;

 private:
  kernels::Activation activation_;
  kernels::ActivationParameters parameters_;
};

}  // namespace lockstep::nn
