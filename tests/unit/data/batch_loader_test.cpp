// Ranks 0..P-1 side by side in one process: what each holds, and what their batches make together.
#include "data/batch_loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <tuple>

#include "base/error.h"
#include "data/function_table.h"
#include "made_up_dataset.h"
#include "support.h"

namespace lockstep::data {
namespace {

using test::MadeUpDataset;
constexpr std::size_t kFeatures = MadeUpDataset::kFeatures;

// The rows that a rank gathers for a step, as bytes.
struct Gathered {
  std::vector<Block> blocks;
  std::vector<float> x;
  std::vector<float> targets;
  std::vector<std::uint32_t> sample_ids;

  // As the features spell it.
  std::uint32_t sample(std::size_t row) const {
    return static_cast<std::uint32_t>(x[row * kFeatures]) +
           256 * static_cast<std::uint32_t>(x[row * kFeatures + 1]);
  }
  void append(const Gathered& other) {
    blocks.insert(blocks.end(), other.blocks.begin(), other.blocks.end());
    x.insert(x.end(), other.x.begin(), other.x.end());
    targets.insert(targets.end(), other.targets.begin(), other.targets.end());
    sample_ids.insert(sample_ids.end(), other.sample_ids.begin(), other.sample_ids.end());
  }
};

Gathered gather(const BatchLoader& loader, const Normalizer& normalizer, std::size_t step, int threads = 1) {
  Gathered g;
  g.blocks = loader.blocks(step);
  std::size_t rows = 0;
  for (const Block& block : g.blocks) rows += block.rows();
  g.x.assign(rows * kFeatures, std::nanf(""));
  g.targets.assign(rows, std::nanf(""));
  g.sample_ids.assign(rows, ~0U);
  loader.gather(g.blocks, normalizer, g.x, g.targets, g.sample_ids, threads);
  return g;
}

Normalizer raw(const Dataset& dataset) { return {Normalization::kNone, dataset.info(), {}, {}}; }

TEST(BatchLoader, RanksTogetherMakeTheBatchOfOneRank) {
  for (const auto& [n, shards, batch] : {std::array<std::size_t, 3>{53, 7, 21}, {300, 5, 40}, {4, 6, 12}}) {
    const MadeUpDataset dataset(n, 0);
    for (const Shuffle shuffle : {Shuffle::kShards, Shuffle::kNone}) {
      const ShardPlan plan(n, shards, batch, shuffle, 3);
      BatchLoader alone(dataset, plan, {0, plan.shards()});
      for (int world = 1; world <= static_cast<int>(shards); ++world) {
        std::vector<BatchLoader> ranks;
        for (int rank = 0; rank < world; ++rank)
          ranks.emplace_back(dataset, plan, ShardDivision(shards, world).of_rank(rank));
        for (std::size_t epoch = 0; epoch < 2; ++epoch) {
          alone.start_epoch(epoch);
          for (BatchLoader& rank : ranks) rank.start_epoch(epoch);
          for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
            const Gathered whole = gather(alone, raw(dataset), step);
            Gathered joined;
            for (const BatchLoader& rank : ranks) joined.append(gather(rank, raw(dataset), step));
            EXPECT_TRUE(test::same_bits(joined.x, whole.x));
            EXPECT_EQ(joined.targets, whole.targets);
            EXPECT_EQ(joined.sample_ids, whole.sample_ids);
            EXPECT_EQ(whole.targets.size(), plan.batch_samples(step));
            ASSERT_EQ(joined.blocks.size(), whole.blocks.size());
            for (std::size_t b = 0; b < whole.blocks.size(); ++b) {
              EXPECT_EQ(joined.blocks[b].shard, whole.blocks[b].shard);
              EXPECT_EQ(joined.blocks[b].range.begin, whole.blocks[b].range.begin);
              EXPECT_EQ(joined.blocks[b].range.end, whole.blocks[b].range.end);
            }
          }
        }
      }
    }
  }
}

TEST(BatchLoader, RowsAreTheSamplesOfThePlanInItsOrder) {
  constexpr std::size_t kSamples = 300, kShards = 5;
  const MadeUpDataset dataset(kSamples, 0);
  const ShardPlan plan(kSamples, kShards, 35, Shuffle::kShards, 9);
  BatchLoader loader(dataset, plan, {0, plan.shards()});
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    loader.start_epoch(epoch);
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
      const Gathered g = gather(loader, raw(dataset), step);
      std::size_t row = 0;
      for (std::size_t s = 0; s < kShards; ++s) {
        const auto order = plan.epoch_order(epoch, s);
        const Range range = plan.micro_batch_range(step, s);
        for (std::size_t i = range.begin; i < range.end; ++i, ++row) {
          ASSERT_LT(row, g.targets.size());
          const std::uint32_t sample = plan.samples_of_shard(s)[order[i]];
          EXPECT_EQ(g.sample(row), sample);
          EXPECT_EQ(g.sample_ids[row], sample);
          EXPECT_EQ(g.targets[row], MadeUpDataset::label(Split::kTrain, sample));
          for (std::size_t j = 0; j < kFeatures; ++j)
            EXPECT_EQ(g.x[row * kFeatures + j], MadeUpDataset::feature(Split::kTrain, sample, j));
        }
      }
      EXPECT_EQ(row, g.targets.size());
    }
  }
}

TEST(BatchLoader, ARankHoldsTheSamplesOfItsShardsOnly) {
  constexpr std::size_t kSamples = 101, kShards = 7;
  const MadeUpDataset dataset(kSamples, 0);
  const ShardPlan plan(kSamples, kShards, 14, Shuffle::kShards, 1);
  for (int world = 1; world <= static_cast<int>(kShards); ++world) {
    std::set<std::uint32_t> held;
    std::size_t count = 0;
    for (int rank = 0; rank < world; ++rank) {
      const Range own = ShardDivision(kShards, world).of_rank(rank);
      const BatchLoader loader(dataset, plan, own);
      std::vector<std::uint32_t> expected;
      for (std::size_t s = own.begin; s < own.end; ++s)
        expected.insert(expected.end(), plan.samples_of_shard(s).begin(), plan.samples_of_shard(s).end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(dataset.loaded(), expected);
      EXPECT_EQ(loader.samples().size(), expected.size());
      held.insert(expected.begin(), expected.end());
      count += expected.size();
    }
    EXPECT_EQ(held.size(), kSamples);
    EXPECT_EQ(count, kSamples);
  }
}

TEST(BatchLoader, CutsLongMicroBatchesIntoBlocks) {
  constexpr std::size_t kSamples = 5000, kBatch = 4100;
  const MadeUpDataset dataset(kSamples, 0);
  for (const Shuffle shuffle : {Shuffle::kShards, Shuffle::kNone}) {
    const ShardPlan plan(kSamples, 2, kBatch, shuffle, 1);
    BatchLoader loader(dataset, plan, {0, plan.shards()});
    loader.start_epoch(0);
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
      std::size_t next[2], rows = 0;
      for (std::size_t s = 0; s < 2; ++s) next[s] = plan.micro_batch_range(step, s).begin;
      const auto blocks = loader.blocks(step);
      for (const Block& block : blocks) {
        EXPECT_GE(block.rows(), 1U);
        EXPECT_LE(block.rows(), kMaxBlockRows);
        EXPECT_EQ(block.range.begin, next[block.shard]);
        next[block.shard] = block.range.end;
        rows += block.rows();
      }
      EXPECT_TRUE(std::is_sorted(blocks.begin(), blocks.end(),
                                 [](const Block& a, const Block& b) { return a.shard < b.shard; }));
      EXPECT_EQ(rows, plan.batch_samples(step));
      EXPECT_LE(blocks.size(), blocks_per_step(plan));
    }
  }
}

TEST(BatchLoader, NoStepHasMoreBlocksThanPromised) {
  for (const std::size_t n : {1, 3, 50, 2049, 5000}) {
    for (const std::size_t shards : {1, 3, 8}) {
      for (const std::size_t micro_batch : {1, 7, 1024, 1025, 3000}) {
        for (const Shuffle shuffle : {Shuffle::kShards, Shuffle::kNone}) {
          const MadeUpDataset dataset(n, 0);
          const ShardPlan plan(n, shards, shards * micro_batch, shuffle, 1);
          BatchLoader loader(dataset, plan, {0, plan.shards()});
          loader.start_epoch(0);
          for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step)
            EXPECT_LE(loader.blocks(step).size(), blocks_per_step(plan));
        }
      }
    }
  }
}

// Rows of floats and their values, of a set that is not of pixels.
TEST(BatchLoader, GathersNumbersAndValues) {
  DataOptions options;
  options.n = 57;
  options.noise = 0.5;
  const FunctionTable table(options);
  const ShardPlan plan(57, 5, 20, Shuffle::kShards, 4);
  std::vector<std::uint32_t> all(57);
  std::iota(all.begin(), all.end(), 0U);
  const SampleStore whole = table.load(Split::kTrain, all);
  const Normalizer normalizer = raw(table);
  for (int rank = 0; rank < 3; ++rank) {
    BatchLoader loader(table, plan, ShardDivision(5, 3).of_rank(rank));
    loader.start_epoch(1);
    std::vector<float> x(20), targets(20);
    std::vector<std::uint32_t> sample_ids(20);
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
      const auto blocks = loader.blocks(step);
      std::size_t rows = 0;
      for (const Block& block : blocks) rows += block.rows();
      loader.gather(blocks, normalizer, std::span(x).first(rows), std::span(targets).first(rows),
                    std::span(sample_ids).first(rows), 1);
      std::size_t row = 0;
      for (const Block& block : blocks) {
        const auto order = plan.epoch_order(1, block.shard);
        for (std::size_t i = block.range.begin; i < block.range.end; ++i, ++row) {
          const std::uint32_t sample = plan.samples_of_shard(block.shard)[order[i]];
          EXPECT_EQ(sample_ids[row], sample);
          EXPECT_EQ(x[row], whole.values[sample]);
          EXPECT_EQ(targets[row], whole.targets[sample]);
        }
      }
    }
  }
}

TEST(BatchLoader, GathersTheSameWithAnyNumberOfThreads) {
  const MadeUpDataset dataset(300, 0);
  const ShardPlan plan(300, 5, 200, Shuffle::kShards, 1);
  BatchLoader loader(dataset, plan, {0, plan.shards()});
  loader.start_epoch(0);
  const Gathered one = gather(loader, raw(dataset), 0, 1);
  for (const int threads : {2, 3, 7}) {
    const Gathered other = gather(loader, raw(dataset), 0, threads);
    EXPECT_TRUE(test::same_bits(other.x, one.x));
    EXPECT_EQ(other.targets, one.targets);
    EXPECT_EQ(other.sample_ids, one.sample_ids);
  }
}

TEST(BatchLoader, RefusesTheWrongRoom) {
  const MadeUpDataset dataset(20, 0);
  const ShardPlan plan(20, 2, 4, Shuffle::kShards, 1);
  BatchLoader loader(dataset, plan, {0, plan.shards()});
  loader.start_epoch(0);
  const auto gather_into = [&](std::size_t x_size, std::size_t targets_size, std::size_t ids_size) {
    std::vector<float> x(x_size), targets(targets_size);
    std::vector<std::uint32_t> sample_ids(ids_size);
    loader.gather(loader.blocks(0), raw(dataset), x, targets, sample_ids, 1);
  };
  EXPECT_NO_THROW(gather_into(4 * kFeatures, 4, 4));
  EXPECT_THROW(gather_into(5 * kFeatures, 5, 5), ShapeError);
  EXPECT_THROW(gather_into(4 * kFeatures, 3, 4), ShapeError);
  EXPECT_THROW(gather_into(4 * kFeatures, 4, 5), ShapeError);
}

// Of every range of shards from every other, of bytes and of values; also where some shards have no sample.
TEST(BatchLoader, OfOtherShardsLoadsWhatItHasNotAndIsTheSameAsAnew) {
  const auto expect_same = [](const Dataset& dataset, std::size_t samples, auto&& look_at_loaded) {
    const ShardPlan plan(samples, 5, 20, Shuffle::kShards, 4);
    for (std::size_t begin = 0; begin < 5; ++begin)
      for (std::size_t end = begin + 1; end <= 5; ++end)
        for (const Range before : {Range{0, 1}, Range{1, 4}, Range{2, 3}, Range{0, 5}}) {
          const BatchLoader old(dataset, plan, before);
          BatchLoader moved(old, dataset, {begin, end});
          look_at_loaded(old, moved);
          BatchLoader anew(dataset, plan, {begin, end});
          EXPECT_EQ(moved.shards(), anew.shards());
          EXPECT_TRUE(std::ranges::equal(moved.sample_ids(), anew.sample_ids()));
          EXPECT_EQ(moved.samples().pixels, anew.samples().pixels);
          EXPECT_EQ(moved.samples().values, anew.samples().values);
          EXPECT_EQ(moved.samples().targets, anew.samples().targets);
          moved.start_epoch(1);
          anew.start_epoch(1);
          const std::size_t width = dataset.info().features();
          const auto gathered = [&](const BatchLoader& loader) {
            const auto blocks = loader.blocks(0);
            std::size_t rows = 0;
            for (const Block& block : blocks) rows += block.rows();
            std::vector<float> x(rows * width), targets(rows);
            std::vector<std::uint32_t> ids(rows);
            loader.gather(blocks, raw(dataset), x, targets, ids, 1);
            return std::tuple(x, targets, ids);
          };
          EXPECT_EQ(gathered(moved), gathered(anew));
        }
  };
  for (const std::size_t samples : {57, 3}) {
    const MadeUpDataset pixels(samples, 0);
    expect_same(pixels, samples, [&](const BatchLoader& old, const BatchLoader& moved) {
      std::vector<std::uint32_t> missing;
      std::ranges::set_difference(moved.sample_ids(), old.sample_ids(), std::back_inserter(missing));
      EXPECT_EQ(pixels.loaded(), missing);
    });
  }
  DataOptions options;
  options.n = 57;
  expect_same(FunctionTable(options), 57, [](const BatchLoader&, const BatchLoader&) {});
}

}  // namespace
}  // namespace lockstep::data
