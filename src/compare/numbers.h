// What hypotheses work out their predictions with.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "compare/hypotheses.h"
#include "kernels/activation.h"
#include "nn/pointwise.h"

namespace lockstep::compare {

// f of each.
template <typename F>
std::vector<double> mapped(const std::vector<double>& x, F&& f) {
  std::vector<double> y(x.size());
  std::ranges::transform(x, y.begin(), f);
  return y;
}
// f of each pair; both have the same length.
template <typename F>
std::vector<double> mapped(const std::vector<double>& x, const std::vector<double>& y, F&& f) {
  std::vector<double> z(x.size());
  std::ranges::transform(x, y, z.begin(), f);
  return z;
}

double sum_of(const std::vector<double>& x);

// Output k, as its layer makes it of earlier outputs with the parameters of an arena.
std::vector<double> output_of(const Case& of, std::span<const double> arena, std::size_t k,
                              const std::vector<std::vector<double>>& outputs);
// What comes of a backward pass through the layer after output k, given earlier and later arrays: the
// gradient of output k, and that of the layer's parameters in its part of the arena.
struct Backward {
  std::vector<double> dx;
  std::vector<double> arena;
};
Backward backward_of(const Case& of, std::span<const double> arena, std::size_t k,
                     const std::vector<std::vector<double>>& outputs,
                     const std::vector<std::vector<double>>& gradients);

// A layer's part of an arena.
std::span<const double> params_of(const Case& of, std::size_t layer, std::span<const double> arena);
// The arena with the biases of output `of.array`'s layer times a factor.
std::vector<double> with_bias(const Case& of, double factor);
// The arena with a layer's weight transposed; empty unless that is square.
std::vector<double> with_transposed(const Case& of, std::size_t layer);
// The parameters after the step.
std::vector<double> updated_arena(const Case& of);

// Activations that a student may have taken for a layer's, by what one calls them.
struct OtherActivation {
  std::string name;
  kernels::Activation activation;
  kernels::ActivationParameters parameters;
};
std::vector<OtherActivation> other_activations(const nn::Pointwise& layer);

}  // namespace lockstep::compare
