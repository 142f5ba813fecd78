// The values of a safetensors file's tensor, whatever their type.
#pragma once

#include <functional>

#include "nn/safetensors.h"

namespace lockstep::nn {

// Calls take(x) with each value, in order. 64-bit integers are rounded to the nearest double.
void for_each_value(const TensorView& tensor, const std::function<void(double x)>& take);

}  // namespace lockstep::nn
