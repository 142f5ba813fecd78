// Pooling: the largest, or the mean, of each window of an image, channel by channel. kernels/pooling.h has
// the formulas.
#pragma once

#include "kernels/pooling.h"
#include "nn/image.h"
#include "nn/layer.h"

namespace lockstep::nn {

class Pool final : public Layer {
 public:
  enum class Kind { kMax, kAverage };
  // Windows of size x size pixels. Throws ConfigError where they are larger than the image.
  Pool(Kind kind, const ImageShape& in, std::size_t size, std::size_t stride);
  // One window, the whole image.
  static Pool global_average(const ImageShape& in);

  std::size_t inputs() const override { return shape_.inputs(); }
  std::size_t outputs() const override { return shape_.outputs(); }
  ImageShape image() const { return {shape_.channels, shape_.rows(), shape_.cols()}; }
  std::string description() const override;
  bool keeps_output() const override { return kind_ == Kind::kMax; }

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
  Pool(Kind kind, const kernels::PoolShape& shape);

  Kind kind_;
  kernels::PoolShape shape_;
};

}  // namespace lockstep::nn
