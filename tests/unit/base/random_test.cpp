#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace lockstep {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers of philox4x32-10, from Random123's kat_vectors. The counter is (index, a, b, purpose), the
// key the seed's low and high half.
TEST(RandomStream, MakesThePublishedPhiloxVectors) {
  const RandomStream zeros(0, Purpose{0}, 0, 0);
  EXPECT_EQ(zeros.words(0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const RandomStream ones(~0ULL, Purpose{~0U}, ~0U, ~0U);
  EXPECT_EQ(ones.words(~0U), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  const RandomStream pi(0x299f31d0a4093822ULL, Purpose{0x03707344}, 0x85a308d3, 0x13198a2e);
  EXPECT_EQ(pi.words(0x243f6a88), (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, EveryCoordinateOfADrawMatters) {
  std::set<Words> seen;
  std::size_t draws = 0;
  for (const std::uint64_t seed : {0ULL, 1ULL, 1ULL << 32, (1ULL << 32) + 1}) {
    for (const Purpose purpose :
         {Purpose::kShardAssignment, Purpose::kSampleOrder, Purpose::kInitialisation}) {
      for (std::uint32_t a = 0; a < 3; ++a) {
        for (std::uint32_t b = 0; b < 3; ++b) {
          for (std::uint32_t index = 0; index < 3; ++index, ++draws)
            seen.insert(RandomStream(seed, purpose, a, b).words(index));
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), draws);
}

TEST(RandomStream, ADrawDoesNotDependOnEarlierDraws) {
  const RandomStream used(7, Purpose::kSampleOrder, 1, 2), fresh(7, Purpose::kSampleOrder, 1, 2);
  for (std::uint32_t i = 0; i < 100; ++i) used.words(i);
  EXPECT_EQ(used.words(1000), fresh.words(1000));
  EXPECT_EQ(used.uniform(5), fresh.uniform(5));
  EXPECT_EQ(used.normal(5), fresh.normal(5));
}

constexpr std::uint32_t kDraws = 100000;

TEST(RandomStream, UniformIsUniform) {
  const RandomStream stream(11, Purpose::kInitialisation);
  double sum = 0.0, squares = 0.0, neighbours = 0.0, previous = 0.5;
  int tenths[10] = {};
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    const double u = stream.uniform(i);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    ASSERT_EQ(u, std::floor(u * 0x1p53) * 0x1p-53);
    sum += u;
    squares += (u - 0.5) * (u - 0.5);
    neighbours += (u - 0.5) * (previous - 0.5);
    previous = u;
    ++tenths[static_cast<int>(u * 10.0)];
  }
  const double five_sigma = 5.0 / std::sqrt(kDraws);  // of a variable of deviation 1
  EXPECT_NEAR(sum / kDraws, 0.5, five_sigma * std::sqrt(1.0 / 12.0));
  EXPECT_NEAR(squares / kDraws, 1.0 / 12.0, five_sigma * std::sqrt(1.0 / 180.0));
  EXPECT_NEAR(neighbours / kDraws, 0.0, five_sigma / 12.0);
  for (const int count : tenths) EXPECT_NEAR(count, kDraws / 10.0, 5.0 * std::sqrt(kDraws * 0.09));
}

TEST(RandomStream, NormalHasTheMomentsOfTheNormalDistribution) {
  const RandomStream stream(12, Purpose::kInitialisation);
  double m1 = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0;
  int outside = 0;
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    const double z = stream.normal(i);
    m1 += z;
    m2 += z * z;
    m3 += z * z * z;
    m4 += z * z * z * z;
    outside += std::fabs(z) > 1.959964;
  }
  const double five_sigma = 5.0 / std::sqrt(kDraws);
  EXPECT_NEAR(m1 / kDraws, 0.0, five_sigma);
  EXPECT_NEAR(m2 / kDraws, 1.0, five_sigma * std::sqrt(2.0));
  EXPECT_NEAR(m3 / kDraws, 0.0, five_sigma * std::sqrt(15.0));
  EXPECT_NEAR(m4 / kDraws, 3.0, five_sigma * std::sqrt(96.0));
  EXPECT_NEAR(outside, kDraws * 0.05, 5.0 * std::sqrt(kDraws * 0.05 * 0.95));
}

TEST(RandomStream, StreamsOfDifferentPurposesAreUncorrelated) {
  const RandomStream a(1, Purpose::kShardAssignment), b(1, Purpose::kSampleOrder);
  double product = 0.0;
  for (std::uint32_t i = 0; i < kDraws; ++i) product += (a.uniform(i) - 0.5) * (b.uniform(i) - 0.5);
  EXPECT_NEAR(product / kDraws, 0.0, 5.0 / std::sqrt(kDraws) / 12.0);
}

TEST(RandomStream, BelowReachesEveryNumberEquallyOften) {
  const RandomStream stream(13, Purpose::kSampleOrder);
  for (const std::uint32_t bound : {1U, 2U, 7U, 100U}) {
    std::map<std::uint32_t, int> counts;
    for (std::uint32_t i = 0; i < kDraws; ++i) ++counts[stream.below(i, bound)];
    EXPECT_EQ(counts.size(), bound);
    EXPECT_LT(counts.rbegin()->first, bound);
    const double p = 1.0 / bound;
    for (const auto& [value, count] : counts)
      EXPECT_NEAR(count, kDraws * p, 5.0 * std::sqrt(kDraws * p * (1.0 - p))) << value << " of " << bound;
  }
}

TEST(RandomStream, BelowUsesTheWholeRangeOfALargeBound) {
  const RandomStream stream(14, Purpose::kSampleOrder);
  std::uint32_t largest = 0, smallest = ~0U;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    largest = std::max(largest, stream.below(i, ~0U));
    smallest = std::min(smallest, stream.below(i, ~0U));
  }
  EXPECT_GT(largest, 0xf8000000U);  // missed with probability (31/32)^1000
  EXPECT_LT(smallest, 0x08000000U);
}

TEST(RandomPermutation, HasEveryNumberOnce) {
  for (const std::uint32_t n : {0U, 1U, 2U, 7U, 63U, 64U, 65U, 1000U}) {
    auto order = random_permutation(n, RandomStream(3, Purpose::kSampleOrder, n));
    ASSERT_EQ(order.size(), n);
    std::sort(order.begin(), order.end());
    for (std::uint32_t i = 0; i < n; ++i) EXPECT_EQ(order[i], i);
  }
}

TEST(RandomPermutation, TakesEveryNumberToEveryPlaceEquallyOften) {
  constexpr std::uint32_t kItems = 5;
  constexpr int kPermutations = 5000;
  int counts[kItems][kItems] = {};
  for (std::uint32_t i = 0; i < kPermutations; ++i) {
    const auto order = random_permutation(kItems, RandomStream(4, Purpose::kSampleOrder, i));
    for (std::uint32_t place = 0; place < kItems; ++place) ++counts[order[place]][place];
  }
  const double sigma = std::sqrt(kPermutations * 0.2 * 0.8);
  for (const auto& places : counts)
    for (const int count : places) EXPECT_NEAR(count, kPermutations / 5.0, 5.0 * sigma);
}

}  // namespace
}  // namespace lockstep
