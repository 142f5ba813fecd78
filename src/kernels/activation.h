// Pointwise nonlinearities and their derivatives.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace lockstep::kernels {

enum class Activation { kIdentity, kSigmoid, kTanh, kRelu, kLeakyRelu, kElu, kGelu };

inline constexpr Activation kActivations[] = {Activation::kSigmoid,   Activation::kTanh, Activation::kRelu,
                                              Activation::kLeakyRelu, Activation::kElu,  Activation::kGelu,
                                              Activation::kIdentity};

std::string_view name(Activation activation);

struct ActivationParameters {
  double leaky_slope = 0.1;  // of leaky_relu, left of 0; at least 0
  double elu_alpha = 1.0;    // elu tends to minus this; above 0
};

// x <- f(x) in place. NaN stays NaN.
//   identity    x
//   sigmoid     1 / (1 + e^-x)
//   tanh        (e^x - e^-x) / (e^x + e^-x)
//   relu        max(x, 0)
//   leaky_relu  x where x > 0, else leaky_slope x          Maas, Hannun and Ng, ICML 2013
//   elu         x where x > 0, else elu_alpha (e^x - 1)    Clevert, Unterthiner and Hochreiter, ICLR 2016
//   gelu        x P(x), P the normal distribution's       Hendrycks and Gimpel, arXiv 1606.08415; not its
//               approximation by tanh. 0 from -13.1 on to the left, where it is below 3e-38
void activate(Activation activation, std::span<float> x, int threads,
              const ActivationParameters& parameters = {});

// Whether f'(x) is worked out from x: y does not tell it, as where f falls and rises.
bool slope_from_input(Activation activation);

// dy <- dy * f'(x) in place, with f'(x) worked out from the values y = f(x), or x where slope_from_input:
//   identity    1
//   sigmoid     y (1 - y)
//   tanh        1 - y^2
//   relu        1 where y > 0, else 0
//   leaky_relu  1 where y > 0, else leaky_slope
//   elu         1 where y > 0, else y + elu_alpha
//   gelu        P(x) + x p(x), p the normal distribution's density
// Throws ShapeError if the lengths differ.
void activate_backward(Activation activation, std::span<const float> values, std::span<float> dy, int threads,
                       const ActivationParameters& parameters = {});

// f(x) and f'(x) in double.
double activate(Activation activation, double x, const ActivationParameters& parameters);
double slope(Activation activation, double x, const ActivationParameters& parameters);

}  // namespace lockstep::kernels
