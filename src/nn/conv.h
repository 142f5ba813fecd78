// Convolution: pixel (y, x) of an output image is, for filter f,
//   sum over ky, kx, c of W[f][ky][kx][c] * x[y * stride + ky - padding][x * stride + kx - padding][c]  +
//   b[f]
// with zeros beyond the image's edges. (A cross-correlation, as everywhere in this field.)
//
// A whitening convolution has 2 * channels * size^2 filters, worked out from the training images
// (whitening.h), which training leaves alone.
//
// Parameters: weight W (filters, size, size, channels), which files have as PyTorch does, (filters, channels,
// size, size); then, unless it has none, bias b (filters). Cost in multiply-adds: forward B * output pixels *
// filters * size^2 * channels; backward twice that, once when dx is not computed. Source: Goodfellow, Bengio,
// Courville, Deep Learning (2016), 9.1; Dumoulin and Visin, arXiv 1603.07285, for dx.
#pragma once

#include <optional>

#include "kernels/windows.h"
#include "nn/image.h"
#include "nn/layer.h"

namespace lockstep::nn {

struct ConvGeometry {
  std::size_t filters = 0, size = 0, stride = 1;
  // Zeros above and to the left of an image, and below and to the right.
  std::size_t padding_before = 0, padding_after = 0;
  // Rows and columns at the lower and right edge of the output that nobody reads: they are left out.
  std::size_t unread_rows = 0, unread_cols = 0;

  // Zeros all around, so that with stride 1 the output is as large as the input: size - 1 of them, an odd one
  // below and to the right.
  static ConvGeometry same(std::size_t filters, std::size_t size) {
    return {filters, size, 1, (size - 1) / 2, size - 1 - (size - 1) / 2};
  }
};

class Conv final : public Layer {
 public:
  // Throws ConfigError where the filters do not fit into the padded image.
  Conv(const ImageShape& in, const ConvGeometry& geometry, Initializer weight,
       std::optional<Initializer> bias);
  // Stride 1, no padding. Throws ConfigError also where patches have more than 1024 numbers.
  static Conv whitening(const ImageShape& in, std::size_t size, double epsilon, bool bias);

  std::size_t inputs() const override { return in_.size(); }
  std::size_t outputs() const override { return out_.size(); }
  const ImageShape& image() const { return out_; }
  std::string description() const override;
  std::vector<Tensor> tensors() const override;

  void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
               const PassContext& pass) const override;

  // dW = dyᵀ windows(x), db = the sum of dy over samples and pixels, and dx the convolution of dy, spread out
  // by the stride, with the filters turned by 180 degrees.
  void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                kernels::Matrix dx, const PassContext& pass) const override;

  void forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                         const PassContext& pass) const override;
  void backward_in_double(std::span<const double> x, std::span<const double> y, std::span<const double> dy,
                          std::span<const double> params, std::span<double> dparams, std::span<double> dx,
                          const PassContext& pass) const override;

 private:
  bool whitens() const { return weight_.kind == Initializer::Kind::kWhitening; }
  std::size_t fan_in() const { return geometry_.size * geometry_.size * in_.channels; }
  // The input row or column of place k of a window, where it is inside: wraps round to a large number above
  // and left.
  std::size_t place(std::size_t window, std::size_t k) const {
    return window * geometry_.stride + k - geometry_.padding_before;
  }
  kernels::Windows windows_of(kernels::ConstMatrix x) const;
  kernels::Windows windows_of_gradient(kernels::ConstMatrix dy) const;

  ImageShape in_, out_;
  ConvGeometry geometry_;
  Initializer weight_;
  std::optional<Initializer> bias_;
};

}  // namespace lockstep::nn
