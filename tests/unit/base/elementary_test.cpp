// stable_exp, stable_log and stable_cos_turns against the C library's long double functions.
#include "base/elementary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

namespace lockstep {
namespace {

constexpr int kArguments = 200000;

// How far `found` is from `exact`, in units of the last place of a double of exact's size.
double ulps(double found, long double exact) {
  const auto size = std::fabs(static_cast<double>(exact));
  const double unit = std::nextafter(size, std::numeric_limits<double>::infinity()) - size;
  return static_cast<double>(std::fabs(found - exact) / unit);
}

TEST(StableExp, IsWithinFourUnitsInTheLastPlace) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> wide(-708.0, 709.0), narrow(-1.0, 1.0);
  double worst = 0.0;
  for (int i = 0; i < kArguments; ++i) {
    for (const double x : {wide(engine), narrow(engine)})
      worst = std::max(worst, ulps(stable_exp(x), std::exp(static_cast<long double>(x))));
  }
  EXPECT_LE(worst, 4.0);
}

TEST(StableExp, IsExactAtZeroAndDefinedEverywhere) {
  EXPECT_EQ(stable_exp(0.0), 1.0);
  EXPECT_EQ(stable_exp(-0.0), 1.0);
  EXPECT_EQ(stable_exp(-1e4), 0.0);
  EXPECT_EQ(stable_exp(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_EQ(stable_exp(1e4), std::numeric_limits<double>::infinity());
  EXPECT_EQ(stable_exp(std::numeric_limits<double>::infinity()), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(stable_exp(std::nan(""))));
}

TEST(StableExp, IsAccurateAtTheEndsOfItsRange) {
  EXPECT_LE(ulps(stable_exp(709.0), std::exp(709.0L)), 4.0);
  EXPECT_LE(ulps(stable_exp(-707.999), std::exp(static_cast<long double>(-707.999))), 4.0);
}

TEST(StableLog, IsWithinFourUnitsInTheLastPlace) {
  std::mt19937_64 engine(2);
  std::uniform_real_distribution<double> exponent(-1022.0, 1023.9), near_one(0.5, 2.0);
  double worst = 0.0;
  for (int i = 0; i < kArguments; ++i) {
    for (const double x : {std::exp2(exponent(engine)), near_one(engine)})
      worst = std::max(worst, ulps(stable_log(x), std::log(static_cast<long double>(x))));
  }
  EXPECT_LE(worst, 4.0);
}

TEST(StableLog, IsAccurateRightBesideOne) {
  EXPECT_EQ(stable_log(1.0), 0.0);
  for (int k = 1; k <= 52; ++k) {
    for (const double x : {1.0 + std::exp2(-k), 1.0 - std::exp2(-k)})
      EXPECT_LE(ulps(stable_log(x), std::log(static_cast<long double>(x))), 4.0) << x;
  }
}

TEST(StableLog, OfNaNIsNaN) { EXPECT_TRUE(std::isnan(stable_log(std::nan("")))); }

TEST(StableCosTurns, IsWithinFourUnitsInTheLastPlace) {
  std::mt19937_64 engine(3);
  std::uniform_real_distribution<double> turn(0.0, 1.0);
  double worst = 0.0;
  for (int i = 0; i < kArguments; ++i) {
    const double t = turn(engine);
    // Whole quarters are taken off exactly, so that the long double's own rounding stays out of the
    // comparison.
    const double quarter = std::floor(t * 4.0 + 0.5);
    const long double x = 2.0L * std::numbers::pi_v<long double> * (t - 0.25 * quarter);
    const long double exact[] = {std::cos(x), -std::sin(x), -std::cos(x), std::sin(x)};
    worst = std::max(worst, ulps(stable_cos_turns(t), exact[static_cast<int>(quarter) % 4]));
  }
  EXPECT_LE(worst, 4.0);
}

TEST(StableCosTurns, IsExactAtQuarters) {
  EXPECT_EQ(stable_cos_turns(0.0), 1.0);
  EXPECT_EQ(stable_cos_turns(0.25), 0.0);
  EXPECT_EQ(stable_cos_turns(0.5), -1.0);
  EXPECT_EQ(stable_cos_turns(0.75), 0.0);
}

TEST(PowerOfTwo, IsExactOverTheWholeNormalRange) {
  for (int k = -1022; k <= 1023; ++k) EXPECT_EQ(power_of_two(k), std::ldexp(1.0, k));
}

}  // namespace
}  // namespace lockstep
