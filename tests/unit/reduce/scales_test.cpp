// The rules by which the exact reduction's scales follow the gradients. "Ranks" are here numbers in one
// process.
#include "reduce/scales.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "support.h"

namespace lockstep::reduce {
namespace {

using Verdict = Scales::Verdict;
using Slots = std::vector<std::int32_t>;

kernels::Magnitude magnitude(double x) {
  return {std::bit_cast<std::uint32_t>(static_cast<float>(std::fabs(x)))};
}

// What ranks whose largest gradients of the one tensor are these count together.
Slots counted(const Scales& scales, const std::vector<double>& largest) {
  Slots slots(Scales::kSlots);
  for (const double x : largest) scales.count(0, magnitude(x), slots);
  return slots;
}

// One addition: its verdict, with the scales set for the next.
Verdict added(Scales& scales, const std::vector<double>& largest) {
  const Slots slots = counted(scales, largest);
  const Verdict verdict = scales.judge(0, slots);
  scales.follow(slots);
  return verdict;
}

// How often an addition has to be repeated; 10 means for ever.
int repetitions(Scales& scales, double largest) {
  int count = 0;
  while (count < 10 && added(scales, {largest}) != Verdict::kFits) ++count;
  return count;
}

Scales settled_on(double largest, std::size_t contributions = 8) {
  Scales scales(1, contributions);
  EXPECT_LT(repetitions(scales, largest), 10);
  return scales;
}

TEST(Scales, NoSumOfContributionsLeavesTheInteger) {
  for (const std::size_t contributions : {1, 2, 3, 7, 8, 64, 1000, 32767}) {
    const double limit = Scales(1, contributions).limit();
    EXPECT_EQ(limit, std::floor(limit));
    EXPECT_LE(limit * static_cast<double>(contributions), std::numeric_limits<std::int32_t>::max());
    EXPECT_GE(limit * static_cast<double>(contributions), std::numeric_limits<std::int32_t>::max() * 0.99);
    EXPECT_GE(limit, 0x1p16 - 1);
  }
  EXPECT_THROW(Scales(1, 32768), ConfigError);
}

TEST(Scales, NoSumOfContributionsLeavesA16BitInteger) {
  for (const std::size_t contributions : {1, 8, 127}) {
    const double limit = Scales(1, contributions, 16).limit();
    EXPECT_LE(limit * static_cast<double>(contributions), std::numeric_limits<std::int16_t>::max());
    EXPECT_GE(limit * static_cast<double>(contributions), std::numeric_limits<std::int16_t>::max() * 0.99);
  }
  EXPECT_THROW(Scales(1, 128, 16), ConfigError);
}

// With so few bits they are kept: what fits may grow 2-fold, or shrink 16-fold.
TEST(Scales, SixteenBitsAreMostlyUsed) {
  Scales scales(1, 8, 16);
  EXPECT_LE(repetitions(scales, 0.7), 1);
  for (int k = -8; k <= 8; ++k) {
    const double now = std::ldexp(0.7, k);
    const bool fits = scales.judge(0, counted(scales, {now})) == Verdict::kFits;
    EXPECT_EQ(fits, -4 <= k && k <= 1) << now;
    EXPECT_TRUE(!fits || now * scales.scale(0) <= scales.limit());
  }
}

TEST(Scales, InverseUndoesTheScaleExactly) {
  for (const double largest : {1e-38, 1e-30, 1e-3, 1.0, 1e10, 1e38}) {
    const Scales scales = settled_on(largest);
    EXPECT_EQ(scales.scale(0), std::ldexp(1.0, scales.exponents()[0]));
    EXPECT_EQ(static_cast<double>(scales.scale(0)) * scales.inverse(0), 1.0);
  }
}

// What fits is never clamped, and keeps most of the limit's bits: 16-fold growth and 16-fold shrinking fit.
TEST(Scales, WhatFitsUsesMostOfTheBits) {
  for (const std::size_t contributions : {1, 8, 64, 1000}) {
    for (const double largest : {1e-20, 0.7, 1.0, 3.3e9}) {
      const Scales settled = settled_on(largest, contributions);
      for (int k = -40; k <= 40; ++k) {
        const double now = std::ldexp(largest, k);
        const double q = static_cast<double>(static_cast<float>(now)) * settled.scale(0);
        const bool fits = settled.judge(0, counted(settled, {now})) == Verdict::kFits;
        EXPECT_EQ(fits, -4 <= k && k <= 4) << now << ", of " << contributions;
        EXPECT_TRUE(!fits || (q <= settled.limit() && q >= settled.limit() * 0x1p-10)) << q;
      }
    }
  }
}

TEST(Scales, TheLargestOfAllRanksDecides) {
  const Scales settled = settled_on(1.0);
  EXPECT_EQ(settled.judge(0, counted(settled, {1e-9, 1.0, 0.0})), Verdict::kFits);
  EXPECT_EQ(settled.judge(0, counted(settled, {1.0, 1e6})), Verdict::kRescale);
  EXPECT_EQ(settled.judge(0, counted(settled, {1e-9, 1e-8})), Verdict::kRescale);
  EXPECT_EQ(settled.judge(0, counted(settled, {1.0, std::nan("")})), Verdict::kNotFinite);
}

TEST(Scales, DoNotDependOnHowBlocksAreSpreadOverRanks) {
  const std::vector<double> blocks = {0.5, 3.0, 0.0, 1e-4};
  Scales one(1, 4), four(1, 4);
  for (const double factor : {1.0, 1e6, 1e-9, 2.0, 0.1}) {
    double largest = 0.0;
    std::vector<double> each;
    for (const double b : blocks) {
      largest = std::max(largest, b * factor);
      each.push_back(b * factor);
    }
    EXPECT_EQ(added(one, {largest}), added(four, each));
    EXPECT_EQ(one.exponents()[0], four.exponents()[0]);
  }
}

TEST(Scales, OneRepetitionIsEnoughForAJumpOfManyOrders) {
  Scales scales(1, 8);
  for (const double largest : {1.0, 1e6, 1e-6, 1e-12, 1e-3, 1e3})
    EXPECT_LE(repetitions(scales, largest), 1) << largest;
  // Farther than the counters reach, it takes a few.
  for (const double largest : {1e38, 1e-45, 1e38, 1e-38, 1.0})
    EXPECT_LE(repetitions(scales, largest), 8) << largest;
}

TEST(Scales, ZeroAndNonFiniteGradientsLeaveTheScale) {
  Scales scales = settled_on(0.3);
  const int before = scales.exponents()[0];
  EXPECT_EQ(added(scales, {0.0, 0.0}), Verdict::kFits);
  EXPECT_EQ(scales.exponents()[0], before);
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(added(scales, {bad}), Verdict::kNotFinite);
    EXPECT_EQ(scales.exponents()[0], before);
  }
}

TEST(Scales, TensorsHaveScalesOfTheirOwn) {
  Scales scales(3, 8);
  const int unused = scales.exponents()[2];
  Slots slots;
  for (int i = 0; i < 3; ++i) {
    slots.assign(3 * Scales::kSlots, 0);
    scales.count(0, magnitude(1.0), slots);
    scales.count(1, magnitude(0x1p-20), slots);
    scales.count(2, magnitude(0.0), slots);
    if (i < 2) scales.follow(slots);
  }
  for (std::size_t t = 0; t < 3; ++t) EXPECT_EQ(scales.judge(t, slots), Verdict::kFits);
  EXPECT_EQ(scales.exponents()[1] - scales.exponents()[0], 20);
  EXPECT_EQ(scales.exponents()[2], unused);
}

}  // namespace
}  // namespace lockstep::reduce
