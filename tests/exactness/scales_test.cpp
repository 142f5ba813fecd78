// The scales of the exact reduction: what they accept, how they follow, what they refuse.
#include "reduce/scales.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace lockstep::reduce {
namespace {

using Verdict = Scales::Verdict;

kernels::Magnitude magnitude_of(float x) { return {std::bit_cast<std::uint32_t>(std::fabs(x))}; }

// What one tensor's scales say of contributions whose largest is `largest`; follows them.
Verdict show(Scales& scales, float largest) {
  std::vector<std::int32_t> slots(Scales::kSlots);
  scales.count(0, magnitude_of(largest), slots);
  const Verdict verdict = scales.judge(0, slots);
  scales.follow(slots);
  return verdict;
}

TEST(Scales, TheSumOfAllContributionsAtTheLimitFits32Bits) {
  for (const std::size_t contributions : {1, 2, 3, 7, 8, 12, 100, 1024, 32767}) {
    const double limit = Scales(1, contributions).limit();
    EXPECT_LE(limit * static_cast<double>(contributions), std::numeric_limits<std::int32_t>::max());
    EXPECT_GE(limit * static_cast<double>(contributions) * 1.001, std::numeric_limits<std::int32_t>::max());
  }
}

TEST(Scales, MoreContributionsThanLeaveSixteenBitsAreRefused) {
  EXPECT_NO_THROW(Scales(1, 32767));
  EXPECT_THROW(Scales(1, 32768), ConfigError);
}

TEST(Scales, ASecondLookAtTheSameNumbersAlwaysFits) {
  for (int exponent = -120; exponent <= 100; exponent += 5) {
    Scales scales(1, 8);
    int repeats = 0;
    while (show(scales, std::ldexp(1.5F, exponent)) == Verdict::kRescale) ASSERT_LT(++repeats, 6) << exponent;
    EXPECT_EQ(show(scales, std::ldexp(1.5F, exponent)), Verdict::kFits) << exponent;
    EXPECT_LE(std::ldexp(1.5, exponent) * scales.scale(0), scales.limit());
  }
}

TEST(Scales, GrowthBeyondTheHeadroomIsRescaledAndFitsThen) {
  Scales scales(1, 8);
  while (show(scales, 1e-3F) == Verdict::kRescale) {
  }
  EXPECT_EQ(show(scales, 7.9e-3F), Verdict::kFits);
  EXPECT_EQ(show(scales, 7.9F), Verdict::kRescale);
  EXPECT_EQ(show(scales, 7.9F), Verdict::kFits);
}

TEST(Scales, GradientsThatLoseManyBitsAreRescaledAndFitThen) {
  Scales scales(1, 8);
  while (show(scales, 1.0F) == Verdict::kRescale) {
  }
  EXPECT_EQ(show(scales, 0.1F), Verdict::kFits);
  EXPECT_EQ(show(scales, 1e-7F), Verdict::kRescale);
  EXPECT_EQ(show(scales, 1e-7F), Verdict::kFits);
}

TEST(Scales, AnAllZeroGradientFitsAndKeepsTheScale) {
  Scales scales(1, 8);
  const float before = scales.scale(0);
  EXPECT_EQ(show(scales, 0.0F), Verdict::kFits);
  EXPECT_EQ(scales.scale(0), before);
}

TEST(Scales, InfinityAndNaNAreNotFinite) {
  Scales scales(1, 8);
  EXPECT_EQ(show(scales, std::numeric_limits<float>::infinity()), Verdict::kNotFinite);
  EXPECT_EQ(show(scales, std::numeric_limits<float>::quiet_NaN()), Verdict::kNotFinite);
}

TEST(Scales, TheLargestCountOfAnyRankDecides) {
  Scales one(1, 8), many(1, 8);
  std::vector<std::int32_t> slots_of_one(Scales::kSlots), slots_of_many(Scales::kSlots);
  one.count(0, magnitude_of(300.0F), slots_of_one);
  for (const float largest : {0.0F, 1e-9F, 300.0F, 2.0F}) many.count(0, magnitude_of(largest), slots_of_many);
  EXPECT_EQ(one.judge(0, slots_of_one), many.judge(0, slots_of_many));
  one.follow(slots_of_one);
  many.follow(slots_of_many);
  EXPECT_EQ(one.exponents()[0], many.exponents()[0]);
}

}  // namespace
}  // namespace lockstep::reduce
