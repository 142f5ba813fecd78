// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. Every value is exact in double.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace lockstep {

inline double from_float16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double x = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  if (exponent == 31)
    x = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  return (bits & 0x8000) != 0 ? -x : x;
}

}  // namespace lockstep
