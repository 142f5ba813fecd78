// A layer of one's own: y = x + b, a learned offset for each feature.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/arrays.h"
#include "nn/layer.h"

namespace lockstep::examples {

class Offset final : public nn::Layer {
 public:
  explicit Offset(std::size_t features) : features_(features) {}

  std::size_t inputs() const override { return features_; }
  std::size_t outputs() const override { return features_; }
  std::string description() const override { return "Offset " + std::to_string(features_); }
  std::vector<nn::Tensor> tensors() const override {
    return {{.name = "bias", .shape = {features_}, .init = {nn::Initializer::Kind::kZeros}}};
  }
  bool elementwise() const override { return true; }

  void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
               const nn::PassContext& pass) const override {
    if (x.data != y.data) std::copy_n(x.data, x.rows * x.cols, y.data);
    kernels::add_bias(y, params, pass.threads);
  }

  // db = sum_i dy_i, which the sink sums; dx = dy, in whose place it already is.
  void backward(kernels::ConstMatrix, kernels::ConstMatrix, kernels::Matrix dy, std::span<const float>,
                std::size_t first_tensor, nn::GradientSink& sink, kernels::Matrix,
                const nn::PassContext&) const override {
    sink.add({first_tensor, dy, {}});
  }

  void forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                         const nn::PassContext&) const override {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = x[i] + params[i % features_];
  }
  void backward_in_double(std::span<const double>, std::span<const double>, std::span<const double> dy,
                          std::span<const double>, std::span<double> dparams, std::span<double> dx,
                          const nn::PassContext&) const override {
    for (std::size_t i = 0; i < dy.size(); ++i) dparams[i % features_] += dx[i] = dy[i];
  }

 private:
  std::size_t features_;
};

}  // namespace lockstep::examples
