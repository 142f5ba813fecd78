// Real numbers as 32-bit integers at a common power-of-two scale, whose sums have no order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/gemm.h"

namespace lockstep::kernels {

// What was quantized, for choosing a scale.
struct Magnitude {
  // Bits of the largest |x| as a float: ordered as the values are, infinity and NaN (0x7f800000 and above)
  // last.
  std::uint32_t largest_bits = 0;

  bool finite() const { return largest_bits < 0x7f800000U; }
  // The smallest b with |x| < 2^b for all x. Requires: finite, not all zero.
  int exponent() const;
};

// sums_i = q or sums_i += q, with q = x_i * scale rounded to the nearest integer (ties to even) and clamped
// to +-limit; NaN counts as -limit or limit. x (R,C) and sums (R,C) with rows `sums_stride` apart; scale is a
// power of two, and limit an integer.
Magnitude quantize(ConstMatrix x, float scale, float limit, Store store, std::int32_t* sums,
                   std::size_t sums_stride);

// x_i = sums_i * scale, rounded once (a subnormal x_i twice).
void dequantize(std::span<const std::int32_t> sums, float scale, std::span<float> x);

}  // namespace lockstep::kernels
