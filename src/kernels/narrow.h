// Values at half their width, for messages.
#pragma once

#include <cstdint>
#include <span>

#include "base/bfloat16.h"

namespace lockstep::kernels {

// half_i = x_i, and x_i = half_i. Requires: equal lengths; integers fit 16 bits. Floats are rounded.
void narrow(std::span<const std::int32_t> x, std::span<std::int16_t> half);
void narrow(std::span<const float> x, std::span<Bfloat16> half);
void widen(std::span<const std::int16_t> half, std::span<std::int32_t> x);
void widen(std::span<const Bfloat16> half, std::span<float> x);

}  // namespace lockstep::kernels
