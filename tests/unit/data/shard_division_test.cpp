#include "data/shard_division.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

using Counts = std::vector<std::size_t>;
using Costs = std::vector<std::int64_t>;

std::int64_t slowest(const Counts& counts, const Costs& costs) {
  std::int64_t most = 0;
  for (std::size_t r = 0; r < costs.size(); ++r)
    most = std::max(most, costs[r] * static_cast<std::int64_t>(counts[r]));
  return most;
}

// The least of all divisions, each of which is tried.
std::int64_t least_by_trying(std::size_t shards, const Costs& costs) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  Counts counts(costs.size());
  const std::function<void(std::size_t, std::size_t)> fill = [&](std::size_t rank, std::size_t left) {
    if (rank + 1 == costs.size()) {
      counts[rank] = left;
      least = std::min(least, slowest(counts, costs));
      return;
    }
    for (counts[rank] = 1; left - counts[rank] >= costs.size() - rank - 1; ++counts[rank])
      fill(rank + 1, left - counts[rank]);
  };
  fill(0, shards);
  return least;
}

TEST(ShardDivision, IsOfNearlyEqualContiguousRanges) {
  for (std::size_t shards = 1; shards <= 20; ++shards) {
    for (std::size_t world = 1; world <= shards; ++world) {
      const ShardDivision division(shards, static_cast<int>(world));
      EXPECT_EQ(division.shards(), shards);
      EXPECT_EQ(division.ranks(), static_cast<int>(world));
      std::size_t next = 0;
      for (std::size_t rank = 0; rank < world; ++rank) {
        const Range range = division.of_rank(static_cast<int>(rank));
        EXPECT_EQ(range.begin, next);
        EXPECT_EQ(range.begin, rank * shards / world);
        EXPECT_EQ(range.end, (rank + 1) * shards / world);
        EXPECT_GE(range.size(), 1U);
        next = range.end;
      }
      EXPECT_EQ(next, shards);
    }
  }
}

TEST(ShardDivision, MoreRanksThanShardsIsAnErrorThatSaysWhatToSet) {
  test::expect_line_with(test::message_of<ConfigError>([] { ShardDivision(2, 3); }),
                         {"3 ranks", "2 shards", "data.shards to 3"});
}

TEST(ShardDivision, GivesEachRankItsCountAfterThoseBefore) {
  const ShardDivision division(Counts{3, 1, 5});
  EXPECT_EQ(division.shards(), 9U);
  EXPECT_EQ(division.of_rank(0), (Range{0, 3}));
  EXPECT_EQ(division.of_rank(1), (Range{3, 4}));
  EXPECT_EQ(division.of_rank(2), (Range{4, 9}));
  EXPECT_THROW(ShardDivision(Counts{2, 0, 1}), ShapeError);
}

TEST(ShardDivision, TheFastestIsTheFastestOfAllForDrawnSpeeds) {
  std::mt19937_64 engine(1);
  const auto from = [&](std::size_t low, std::size_t high) { return low + engine() % (high - low + 1); };
  for (int draw = 0; draw < 500; ++draw) {
    Costs costs(from(1, 5));
    for (std::int64_t& cost : costs) cost = static_cast<std::int64_t>(from(1, draw % 2 == 0 ? 10 : 1000));
    const std::size_t shards = from(costs.size(), 16);
    const ShardDivision fastest = fastest_division(shards, costs);
    EXPECT_EQ(fastest.shards(), shards);
    EXPECT_EQ(fastest.ranks(), static_cast<int>(costs.size()));
    EXPECT_EQ(slowest(fastest.counts(), costs), least_by_trying(shards, costs)) << "draw " << draw;
  }
}

TEST(ShardDivision, ARankOfHalfTheSpeedGetsHalfAsMany) {
  EXPECT_EQ(rebalanced(ShardDivision(12, 2), Costs{600, 1200}).counts(), (Counts{8, 4}));
  EXPECT_EQ(rebalanced(ShardDivision(64, 4), Costs{1600, 1600, 3200, 1600}).counts(),
            (Counts{19, 18, 9, 18}));
}

TEST(ShardDivision, RebalancesByTimesOfWhatEachRankHas) {
  const ShardDivision now(Counts{8, 4});
  EXPECT_EQ(rebalanced(now, Costs{800, 400}).counts(), (Counts{6, 6})) << "the slow one is as fast again";
  EXPECT_EQ(rebalanced(now, Costs{800, 800}), now) << "each shard takes it twice as long";
}

TEST(ShardDivision, NoiseMovesNoShard) {
  std::mt19937_64 engine(2);
  for (int draw = 0; draw < 500; ++draw) {
    const int ranks = 2 + static_cast<int>(engine() % 15);
    const ShardDivision now(512, ranks);
    Costs nanoseconds;
    for (const std::size_t count : now.counts())
      nanoseconds.push_back(static_cast<std::int64_t>(count * (1'000'000 + engine() % 40'000)));
    EXPECT_EQ(rebalanced(now, nanoseconds), now);
  }
}

TEST(ShardDivision, RanksWithoutSamplesHaveNoTimeAndThatIsNoError) {
  const ShardDivision now(9, 3);
  EXPECT_EQ(rebalanced(now, Costs{0, 0, 0}), now);
  EXPECT_EQ(rebalanced(now, Costs{300, 0, 0}).counts()[0], 1U);
}

}  // namespace
}  // namespace lockstep::data
