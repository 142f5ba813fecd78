#include "data/shard_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

using Numbers = std::vector<std::uint32_t>;

struct Case {
  std::size_t samples, shards, batch;
  Shuffle shuffle;
};

ShardPlan plan_of(const Case& c, std::uint64_t seed = 1) {
  return {c.samples, c.shards, c.batch, c.shuffle, seed};
}

// N that no S divides, N below S, B above N, and everything even.
template <typename Body>
void for_many_plans(Body&& body) {
  for (const std::size_t n : {1, 2, 5, 7, 8, 9, 16, 63, 64, 65, 100, 251}) {
    for (const std::size_t s : {1, 2, 3, 5, 8, 13}) {
      for (const std::size_t micro_batch : {1, 2, 3, 7, 64}) {
        for (const Shuffle shuffle : {Shuffle::kShards, Shuffle::kNone}) {
          SCOPED_TRACE(testing::Message() << n << " samples, " << s << " shards, batch " << s * micro_batch
                                          << (shuffle == Shuffle::kNone ? ", not shuffled" : ""));
          body(Case{n, s, s * micro_batch, shuffle});
          if (testing::Test::HasFailure()) return;
        }
      }
    }
  }
}

// The samples that a step takes from a shard.
Numbers micro_batch(const ShardPlan& plan, std::size_t epoch, std::size_t step, std::size_t shard) {
  const auto order = plan.epoch_order(epoch, shard);
  const Range range = plan.micro_batch_range(step, shard);
  Numbers samples;
  for (std::size_t i = range.begin; i < range.end; ++i)
    samples.push_back(plan.samples_of_shard(shard).at(order.at(i)));
  return samples;
}

Numbers batch(const ShardPlan& plan, std::size_t epoch, std::size_t step) {
  Numbers samples;
  for (std::size_t s = 0; s < plan.shards(); ++s) {
    const Numbers part = micro_batch(plan, epoch, step, s);
    samples.insert(samples.end(), part.begin(), part.end());
  }
  return samples;
}

Numbers epoch_of(const ShardPlan& plan, std::size_t epoch) {
  Numbers samples;
  for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
    const Numbers part = batch(plan, epoch, step);
    samples.insert(samples.end(), part.begin(), part.end());
  }
  return samples;
}

Numbers sorted(Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Numbers all_below(std::size_t n) {
  Numbers numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

TEST(ShardPlan, TakesEverySampleOnceAnEpoch) {
  for_many_plans([](const Case& c) {
    const ShardPlan plan = plan_of(c);
    for (const std::size_t epoch : {0, 1, 5}) EXPECT_EQ(sorted(epoch_of(plan, epoch)), all_below(c.samples));
  });
}

TEST(ShardPlan, ShardSizesDifferByAtMostOne) {
  for_many_plans([](const Case& c) {
    const ShardPlan plan = plan_of(c);
    std::size_t smallest = c.samples, largest = 0, sum = 0;
    for (std::size_t s = 0; s < c.shards; ++s) {
      const auto& members = plan.samples_of_shard(s);
      EXPECT_TRUE(std::is_sorted(members.begin(), members.end()));
      EXPECT_EQ(plan.epoch_order(0, s).size(), members.size());
      smallest = std::min(smallest, members.size());
      largest = std::max(largest, members.size());
      sum += members.size();
    }
    EXPECT_EQ(sum, c.samples);
    EXPECT_LE(largest - smallest, 1U);
  });
}

TEST(ShardPlan, MicroBatchesAreFullButInTheLastSteps) {
  for_many_plans([](const Case& c) {
    const ShardPlan plan = plan_of(c);
    EXPECT_EQ(plan.micro_batch(), c.batch / c.shards);
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
      for (std::size_t s = 0; s < c.shards; ++s) {
        const std::size_t size = plan.micro_batch_range(step, s).size();
        const bool last = step + 1 == plan.steps_per_epoch();
        EXPECT_LE(size, plan.micro_batch());
        EXPECT_GE(size, last ? 0 : plan.micro_batch());
      }
    }
  });
}

TEST(ShardPlan, BatchSamplesAreNeverNoneAndAddUpToAll) {
  for_many_plans([](const Case& c) {
    const ShardPlan plan = plan_of(c);
    std::size_t sum = 0;
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
      EXPECT_GE(plan.batch_samples(step), 1U);
      EXPECT_EQ(plan.batch_samples(step), batch(plan, 0, step).size());
      sum += plan.batch_samples(step);
    }
    EXPECT_EQ(sum, c.samples);
  });
}

TEST(ShardPlan, WithoutShuffleAStepTakesTheNextSamplesOfTheFile) {
  for_many_plans([](const Case& c) {
    if (c.shuffle != Shuffle::kNone) return;
    const ShardPlan plan = plan_of(c);
    EXPECT_EQ(plan.steps_per_epoch(), (c.samples + c.batch - 1) / c.batch);
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
      const Numbers samples = batch(plan, 3, step);  // in shard order: also the file's
      const auto all = all_below(c.samples);
      const std::size_t end = std::min((step + 1) * c.batch, c.samples);
      EXPECT_EQ(samples, Numbers(all.begin() + static_cast<std::ptrdiff_t>(step * c.batch),
                                 all.begin() + static_cast<std::ptrdiff_t>(end)));
    }
  });
}

TEST(ShardPlan, AnEpochDependsOnItsNumberAndTheSeed) {
  const Case c{251, 5, 35, Shuffle::kShards};
  std::set<Numbers> epochs;
  for (const std::uint64_t seed : {1ULL, 2ULL, (1ULL << 32) + 1})
    for (std::size_t epoch = 0; epoch < 3; ++epoch) epochs.insert(epoch_of(plan_of(c, seed), epoch));
  EXPECT_EQ(epochs.size(), 9U);
  EXPECT_EQ(epoch_of(plan_of(c, 7), 2), epoch_of(plan_of(c, 7), 2));
}

TEST(ShardPlan, ShardsDependOnTheSeedNotOnTheEpochOrTheBatch) {
  const ShardPlan a = plan_of({251, 5, 35, Shuffle::kShards}, 1),
                  b = plan_of({251, 5, 10, Shuffle::kShards}, 1),
                  c = plan_of({251, 5, 35, Shuffle::kShards}, 2);
  for (std::size_t s = 0; s < 5; ++s) {
    EXPECT_EQ(a.samples_of_shard(s), b.samples_of_shard(s));
    EXPECT_NE(a.samples_of_shard(s), c.samples_of_shard(s));
    EXPECT_EQ(a.epoch_order(4, s), b.epoch_order(4, s));
    EXPECT_NE(a.epoch_order(0, s), a.epoch_order(1, s));
  }
  EXPECT_NE(a.epoch_order(0, 1), a.epoch_order(0, 2));  // of 50 samples each
}

TEST(ShardPlan, AShardsSamplesComeFromTheWholeSet) {
  const ShardPlan plan = plan_of({1000, 4, 4, Shuffle::kShards});
  for (std::size_t s = 0; s < 4; ++s) {
    const auto& members = plan.samples_of_shard(s);
    const double mean =
        std::accumulate(members.begin(), members.end(), 0.0) / static_cast<double>(members.size());
    EXPECT_NEAR(mean, 499.5, 5.0 * 289.0 / std::sqrt(250.0));
  }
}

TEST(ShardPlan, RefusesSizesThatMakeNoBatch) {
  using test::message_of;
  test::expect_line_with(message_of<ConfigError>([] {
                           plan_of({10, 4, 6, Shuffle::kShards});
                         }),
                         {"train.batch_size is 6", "data.shards", "4"});
  test::expect_line_with(message_of<ConfigError>([] {
                           plan_of({10, 4, 0, Shuffle::kShards});
                         }),
                         {"train.batch_size is 0"});
  test::expect_line_with(message_of<ConfigError>([] {
                           plan_of({10, 0, 4, Shuffle::kShards});
                         }),
                         {"data.shards is 0"});
  test::expect_line_with(message_of<ConfigError>([] { plan_of({0, 4, 4, Shuffle::kNone}); }), {"no samples"});
}

TEST(EvenPart, PartsAreContiguousAndDifferByAtMostOne) {
  for (const std::size_t n : test::kAwkwardSizes) {
    for (const std::size_t parts : {1, 2, 3, 7, 64, 100}) {
      std::size_t next = 0;
      for (std::size_t p = 0; p < parts; ++p) {
        const Range part = even_part(n, p, parts);
        EXPECT_EQ(part.begin, next);
        EXPECT_GE(part.size(), n / parts);
        EXPECT_LE(part.size(), (n + parts - 1) / parts);
        next = part.end;
      }
      EXPECT_EQ(next, n);
    }
  }
}

}  // namespace
}  // namespace lockstep::data
