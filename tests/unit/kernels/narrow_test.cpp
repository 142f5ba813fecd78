// Numbers at half their width and back, against the definition of rounding to nearest, ties to even.
#include "kernels/narrow.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

float there_and_back(float x) {
  Bfloat16 half{};
  float back = 0.0F;
  narrow(std::span<const float>(&x, 1), {&half, 1});
  widen(std::span<const Bfloat16>(&half, 1), {&back, 1});
  return back;
}

// x to 8 significant bits.
float twin(float x) {
  int exponent = 0;
  const double fraction = std::frexp(static_cast<double>(x), &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8));
}

TEST(Narrow, FloatsAreRoundedToNearest) {
  for (const std::size_t n : test::kAwkwardSizes)
    for (const float x : test::random_floats(n, n, 100.0F)) EXPECT_EQ(there_and_back(x), twin(x)) << x;
  for (const float x : {1.0F, -1.5F, 0.0F, 0x1.01p0F, 0x1.03p0F, -0x1.01p5F, 0x1.010002p0F, 3e38F})
    EXPECT_EQ(there_and_back(x), twin(x)) << x;
}

TEST(Narrow, WhatIsNotFiniteStaysSo) {
  EXPECT_EQ(there_and_back(test::kInfinity), test::kInfinity);
  EXPECT_EQ(there_and_back(-test::kInfinity), -test::kInfinity);
  EXPECT_EQ(there_and_back(std::numeric_limits<float>::max()), test::kInfinity);
  for (const std::uint32_t bits : {0x7f800001U, 0x7fc00000U, 0x7fffffffU, 0xffffffffU})
    EXPECT_TRUE(std::isnan(there_and_back(std::bit_cast<float>(bits)))) << bits;
}

TEST(Narrow, IntegersComeBackAsTheyWere) {
  for (const std::size_t n : test::kAwkwardSizes) {
    std::vector<std::int32_t> x(n), back(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<std::int32_t>(i * 40503 % 65536) - 32768;
    std::vector<std::int16_t> half(n);
    narrow(x, half);
    widen(half, back);
    EXPECT_EQ(back, x);
  }
}

TEST(Narrow, RefusesAnotherLength) {
  const std::vector<std::int32_t> x(3);
  std::vector<std::int16_t> half(2);
  EXPECT_THROW(narrow(x, half), ShapeError);
}

}  // namespace
}  // namespace lockstep::kernels
