// Which way gradients travel. "Ranks" are here numbers in one process.
#include "reduce/ways.h"

#include <gtest/gtest.h>

#include <vector>

#include "reduce/division.h"

namespace lockstep::reduce {
namespace {

constexpr std::size_t kTwoChunks = 2 * Division::kChunk;
const std::vector<int> kOneHost = {0, 0, 0, 0}, kFourHosts = {0, 1, 2, 3}, kTwoHosts = {0, 0, 2, 2};

TEST(Ways, ByItselfAnArenaIsDividedWhereEachOfThoseThatExchangeHasTwoChunks) {
  EXPECT_TRUE(divides({}, kFourHosts, 4 * kTwoChunks));
  EXPECT_FALSE(divides({}, kFourHosts, 4 * kTwoChunks - 1));
  EXPECT_TRUE(divides({}, kTwoHosts, 2 * kTwoChunks)) << "one rank of each host exchanges";
  EXPECT_FALSE(divides({}, kTwoHosts, 2 * kTwoChunks - 1));
  EXPECT_FALSE(divides({.shared_memory = false}, kTwoHosts, 4 * kTwoChunks - 1)) << "each rank does";
  EXPECT_TRUE(divides({.shared_memory = false}, kTwoHosts, 4 * kTwoChunks));
}

TEST(Ways, AnySizeIsDividedInMemory) {
  EXPECT_TRUE(divides({}, kOneHost, 1));
  EXPECT_FALSE(divides({.shared_memory = false}, kOneHost, 1));
  EXPECT_FALSE(divides({.wire = Wire::kInt16}, kOneHost, 1)) << "which travels in messages";
}

TEST(Ways, AnArenaIsDividedAsAskedForButNotForOneRank) {
  EXPECT_TRUE(divides({.update = Update::kDivided}, kFourHosts, 1));
  EXPECT_FALSE(divides({.update = Update::kEverywhere}, kOneHost, 4 * kTwoChunks));
  EXPECT_FALSE(divides({.update = Update::kDivided}, std::vector{0}, kTwoChunks));
  EXPECT_FALSE(divides({}, std::vector{0}, kTwoChunks));
}

}  // namespace
}  // namespace lockstep::reduce
