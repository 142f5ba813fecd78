// A plain network in double precision: loops that are right at a glance, no speed.
//
// Parameters lie in one flat vector in nn::Model's order: for each affine layer the weight (out, in), row by
// row, then the bias (out). The activation follows every layer but the last. A label is a class's number, or,
// for a single output, the number that it is to become.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/activation.h"
#include "kernels/loss.h"

namespace lockstep::test {

// f(x) and f'(x), both from x.
double activation(kernels::Activation f, double x, const kernels::ActivationParameters& parameters = {});
double activation_slope(kernels::Activation f, double x,
                        const kernels::ActivationParameters& parameters = {});

// The loss of one sample's outputs, and its derivatives by them. Cross-entropies are worked out in long
// double, in a form that keeps all digits of small losses and derivatives.
double sample_loss(kernels::Loss loss, std::span<const double> outputs, double label);
std::vector<double> sample_loss_gradient(kernels::Loss loss, std::span<const double> outputs, double label);
// The same with label smoothing: the share of it goes to the mean over all labels.
double smoothed_loss(kernels::Loss loss, std::span<const double> outputs, double label, double smoothing);
std::vector<double> smoothed_loss_gradient(kernels::Loss loss, std::span<const double> outputs, double label,
                                           double smoothing);

struct Sample {
  std::vector<double> x;
  double label = 0.0;
};

struct ReferenceNetwork {
  std::vector<std::size_t> widths;  // inputs, hidden layers, outputs
  kernels::Activation activation = kernels::Activation::kSigmoid;
  kernels::Loss loss = kernels::Loss::kCrossEntropy;
  double l2 = 0.0;
  std::vector<double> parameters;
  kernels::ActivationParameters activation_parameters = {};
  std::vector<double> l2_factors = {};  // per layer; empty: 1 each
  double label_smoothing = 0.0;

  std::size_t layers() const { return widths.size() - 1; }
  std::size_t weight_offset(std::size_t layer) const;
  std::size_t bias_offset(std::size_t layer) const;
  std::size_t parameter_count() const { return weight_offset(layers()); }

  std::vector<double> outputs(const Sample& sample) const;
  // 0.5 l2 sum W^2, each layer's part times its factor.
  double l2_loss() const;
  // The mean of the samples' losses, plus the L2 term.
  double mean_loss(std::span<const Sample> batch) const;
  // d(mean_loss)/d(parameters), with the L2 term's part only if `with_l2`.
  std::vector<double> gradient(std::span<const Sample> batch, bool with_l2) const;
  std::size_t count_correct(std::span<const Sample> batch) const;

 private:
  double l2_of(std::size_t layer) const { return l2_factors.empty() ? l2 : l2 * l2_factors[layer]; }
};

}  // namespace lockstep::test
