// The training samples of one rank, and the batches made of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/augmentation.h"
#include "data/dataset.h"
#include "data/normalizer.h"
#include "data/shard_plan.h"

namespace lockstep::data {

// Rows that are computed together: a micro-batch, or a piece of one that is longer than kMaxBlockRows. The
// blocks of a step depend on the shard plan alone, never on the rank that owns them.
struct Block {
  std::size_t shard = 0;
  Range range;  // into the shard's epoch order
  std::size_t rows() const { return range.size(); }
};

inline constexpr std::size_t kMaxBlockRows = 1024;  // rows

// Rows of each micro-batch that these blocks, in shard order, are.
std::vector<std::size_t> micro_batch_rows(std::span<const Block> blocks);

// The largest number of blocks in a step, over all ranks.
std::size_t blocks_per_step(const ShardPlan& plan);

class BatchLoader {
 public:
  // Loads the samples of a rank's shards, and nothing else.
  BatchLoader(const Dataset& dataset, const ShardPlan& plan, Range shards,
              const Augmentation& augmentation = {});
  // Of other shards of the same plan: what they share with these is copied, the rest loaded.
  BatchLoader(const BatchLoader& other, const Dataset& dataset, Range shards);

  Range shards() const { return shards_; }
  const SampleStore& samples() const { return store_; }
  std::span<const std::uint32_t> sample_ids() const { return own_; }  // of these, ascending

  // Orders this rank's shards for epoch `epoch` (0, 1, ...). Before the first blocks().
  void start_epoch(std::size_t epoch);

  // This rank's blocks of a step, in shard order; empty ones are left out.
  std::vector<Block> blocks(std::size_t step) const;

  // Fills rows of x (B = sum of the blocks' rows, features; row-major) with samples as this epoch shows them,
  // normalised, targets (B) and the samples' IDs (B), block after block.
  void gather(std::span<const Block> blocks, const Normalizer& normalizer, std::span<float> x,
              std::span<float> targets, std::span<std::uint32_t> sample_ids, int threads) const;

 private:
  // own_ and rows_, by the plan.
  void list_samples();

  const ShardPlan* plan_;
  Range shards_;
  Augmentation augmentation_;
  std::size_t epoch_ = 0;
  std::vector<std::uint32_t> own_;                 // IDs of this rank's samples, ascending
  SampleStore store_;                              // these samples
  std::vector<std::vector<std::uint32_t>> rows_;   // per own shard: position -> row of store_
  std::vector<std::vector<std::uint32_t>> order_;  // per own shard: this epoch's order, as rows of store_
};

}  // namespace lockstep::data
