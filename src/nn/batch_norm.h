// Batch normalisation: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, for each channel of images, or
// each number of plain rows.
//
// In training the statistics are those of the sample's micro-batch, so that they depend on no rank; the
// variance is the mean of (x - mean)^2. In evaluation they are the running ones:
//   running <- (1 - momentum) running + momentum * mean over the step's micro-batches,
// with the unbiased variance there, as PyTorch has it.
//
// Parameters, (channels) each: weight gamma and bias beta, unless it has none (1 and 0 then), running_mean,
// running_var. kernels/batch_norm.h has the gradients.
#pragma once

#include "nn/image.h"
#include "nn/layer.h"

namespace lockstep::nn {

struct BatchNormOptions {
  double momentum = 0.1, epsilon = 1e-5;
  bool scale = true, shift = true;
};

class BatchNorm final : public Layer {
 public:
  // Plain rows are images of one pixel.
  BatchNorm(const ImageShape& image, const BatchNormOptions& options);

  std::size_t inputs() const override { return image_.size(); }
  std::size_t outputs() const override { return image_.size(); }
  bool mixes_samples() const override { return true; }
  std::size_t least_micro_batch() const override { return image_.pixels() == 1 ? 2 : 1; }
  std::string description() const override;
  std::vector<Tensor> tensors() const override;

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
  // Empty where the layer has none.
  template <typename T>
  struct Parameters {
    std::span<const T> scale, shift, running_mean, running_variance;
  };
  template <typename T>
  Parameters<T> parameters(std::span<const T> params) const;

  ImageShape image_;
  BatchNormOptions options_;
};

}  // namespace lockstep::nn
