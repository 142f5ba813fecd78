// exp, log and cos that give the same bits on every machine.
//
// The C library picks its versions by the processor it runs on, and those differ in the last bit. These use
// only +, -, *, / and exact scaling by powers of two, which IEEE 754 rounds the same everywhere. All are
// accurate to a few units in the last place of a double.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

namespace lockstep {

// 2^exponent as a double, for exponents -1022..1023.
inline double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

// e^x. 0 below -708, infinity above 709. Range reduction x = k ln2 + r, |r| <= ln2/2, then Taylor.
inline double stable_exp(double x) {
  if (!(x > -708.0)) return std::isnan(x) ? x : 0.0;
  if (x > 709.0) return std::numeric_limits<double>::infinity();
  constexpr double kLog2e = 1.4426950408889634074;
  constexpr double kLn2High = 6.93147180369123816490e-01;  // the upper 33 bits: k * kLn2High is exact
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  const double shifted = x * kLog2e + (x < 0 ? -0.5 : 0.5);
  const int k = static_cast<int>(shifted);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = 1.0 / 6227020800.0;
  for (const double inverse_factorial :
       {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0,
        1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0}) {
    sum = sum * r + inverse_factorial;
  }
  return sum * power_of_two(k);
}

// ln x for finite x > 0 (normal numbers); NaN stays NaN. x = 2^k m with m in [1/sqrt2, sqrt2), ln m = 2
// artanh((m-1)/(m+1)).
inline double stable_log(double x) {
  if (std::isnan(x)) return x;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  int k = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++k;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double s2 = s * s;
  double series = 0.0;
  for (int n = 23; n >= 3; n -= 2) series = (series + 1.0 / n) * s2;
  return k * 0.693147180559945309417 + 2.0 * (s + s * series);
}

// cos(2 pi t) for 0 <= t < 1: reduction to an eighth of a turn, then Taylor of cos or sin.
inline double stable_cos_turns(double t) {
  const int eighth = static_cast<int>(t * 8.0);                  // which eighth of the turn
  const int quarter = (eighth + 1) / 2;                          // the nearest multiple of a quarter turn
  const double x = (t - 0.25 * quarter) * 6.283185307179586477;  // |x| <= pi/4
  const double x2 = x * x;
  double cosine = 0.0, sine = 0.0;
  for (int n = 18; n >= 2; n -= 2) cosine = (1.0 + cosine) * (-x2 / (n * (n - 1)));
  for (int n = 19; n >= 3; n -= 2) sine = (1.0 + sine) * (-x2 / (n * (n - 1)));
  cosine = 1.0 + cosine;
  sine = x * (1.0 + sine);
  switch (quarter & 3) {
    case 0:
      return cosine;
    case 1:
      return -sine;
    case 2:
      return -cosine;
    default:
      return sine;
  }
}

}  // namespace lockstep
