// bfloat16: the upper half of a float, 8 bits of precision at float's range.
#pragma once

#include <bit>
#include <cstdint>

namespace lockstep {

struct Bfloat16 {
  std::uint16_t bits;
};

// Rounded to nearest, ties to even; too large becomes infinity, and NaN stays NaN.
inline Bfloat16 to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U;
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  return {static_cast<std::uint16_t>(is_nan ? (bits >> 16U) | 0x40U : rounded)};
}

inline float to_float(Bfloat16 x) { return std::bit_cast<float>(std::uint32_t{x.bits} << 16U); }

}  // namespace lockstep
