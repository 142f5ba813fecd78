// Dropout: in training each value becomes 0 with probability `rate`, and the others grow by 1 / (1 - rate),
// so that the mean stays; an evaluation leaves all as they are. Source: Srivastava et al., JMLR 15 (2014),
// "inverted" as in 10.
//
// Whether a value is dropped is a function of (seed, step, sample, layer, unit): the same wherever the row
// is computed, and computed again for the backward pass.
#pragma once

#include "nn/elementwise.h"

namespace lockstep::nn {

class Dropout final : public Elementwise {
 public:
  // layer: which of the network's dropout layers this is. Throws ConfigError unless 0 <= rate < 1, layer is
  // below 2^8 and width at most 2^26, as many as its draws can tell apart.
  Dropout(double rate, std::size_t width, std::size_t layer);

  double rate() const { return rate_; }
  std::string description() const override;

  void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
               const PassContext& pass) const override;

  // dx = dy / (1 - rate) where x was kept, else 0.
  void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                kernels::Matrix dx, const PassContext& pass) const override;

  void forward_in_double(std::span<const double> x, std::span<const double> params, std::span<double> y,
                         const PassContext& pass) const override;
  void backward_in_double(std::span<const double> x, std::span<const double> y, std::span<const double> dy,
                          std::span<const double> params, std::span<double> dparams, std::span<double> dx,
                          const PassContext& pass) const override;

 private:
  // What each unit of a sample's row is multiplied with. Overwrites mask (width).
  void draw_mask(const PassContext& pass, std::uint32_t sample, std::span<float> mask) const;
  // x <- x times the mask of its sample, row by row.
  void apply(kernels::Matrix x, const PassContext& pass) const;

  double rate_;
  std::size_t layer_;
};

}  // namespace lockstep::nn
