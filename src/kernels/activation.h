// Pointwise nonlinearities, their derivatives taken from the output.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace lockstep::kernels {

enum class Activation { kIdentity, kSigmoid, kRelu };

std::string_view name(Activation activation);

// x <- f(x) in place.
//   sigmoid     1 / (1 + e^-x)
//   relu        max(x, 0); NaN stays NaN
void activate(Activation activation, std::span<float> x, int threads);

// dy <- dy * f'(x) in place, with f'(x) worked out from y = f(x):
//   sigmoid     y (1 - y)
//   relu        1 where y > 0, else 0
// Throws ShapeError if the lengths differ.
void activate_backward(Activation activation, std::span<const float> y, std::span<float> dy, int threads);

}  // namespace lockstep::kernels
