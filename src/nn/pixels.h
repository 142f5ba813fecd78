// Images from channel by channel, as data sets and files have them, to pixel by pixel, as layers have them
// (image.h); and back, before a dense layer.
#pragma once

#include "nn/image.h"
#include "nn/layer.h"

namespace lockstep::nn {

class Pixels final : public Layer {
 public:
  enum class To { kPixels, kChannels };
  Pixels(const ImageShape& shape, To to) : shape_(shape), to_(to) {}

  std::size_t inputs() const override { return shape_.size(); }
  std::size_t outputs() const override { return shape_.size(); }
  std::string description() const override;

  void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
               const PassContext& pass) const override;
  void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                kernels::Matrix dx, const PassContext& pass) const override;
  void forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                         const PassContext& pass) const override;
  void backward_in_double(std::span<const double> x, std::span<const double> y, std::span<const double> dy,
                          std::span<const double> params, std::span<double> dparams, std::span<double> dx,
                          const PassContext& pass) const override;

 private:
  ImageShape shape_;
  To to_;
};

}  // namespace lockstep::nn
