// Which sample is used when, by which shard and on which rank: integers only, the same on every rank.
//
// The N training samples are split into S shards, whose sizes differ by at most one. A step takes one
// micro-batch of at most B/S samples from each shard; the last step of an epoch takes what is left, so that
// micro-batches may be short or empty, and no sample is dropped, padded or counted twice.
//
//   shuffle = kShards  shards come from a permutation of the samples that depends on the seed alone;
//                      each epoch orders a shard anew, by (seed, epoch, shard)
//   shuffle = kNone    step t takes samples t B .. (t+1) B - 1 of the file order, cut into S even pieces
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/options.h"
#include "data/shard_division.h"

namespace lockstep::data {

// B/S. Throws ConfigError unless it is a positive integer and S is at most 2^20.
std::size_t micro_batch_size(std::size_t batch, std::size_t shards);

class ShardPlan {
 public:
  // batch: the global batch B; may exceed samples (full batch).
  // Throws ConfigError unless samples >= 1, shards >= 1 and shards divides batch.
  ShardPlan(std::size_t samples, std::size_t shards, std::size_t batch, Shuffle shuffle, std::uint64_t seed);

  std::size_t samples() const { return samples_; }
  std::size_t shards() const { return shards_; }
  std::size_t micro_batch() const { return micro_batch_; }  // B/S
  std::size_t steps_per_epoch() const { return steps_; }

  // The sample numbers of a shard, ascending. A place in this list is a "position" below.
  const std::vector<std::uint32_t>& samples_of_shard(std::size_t shard) const { return members_[shard]; }

  // All of the shard's positions in the order in which epoch `epoch` (0, 1, ...) takes them.
  std::vector<std::uint32_t> epoch_order(std::size_t epoch, std::size_t shard) const;

  // The part of epoch_order that step `step` takes from the shard. May be empty.
  Range micro_batch_range(std::size_t step, std::size_t shard) const;

  // How many samples step `step` takes from all shards together; never 0.
  std::size_t batch_samples(std::size_t step) const;
  // How many of its micro-batches are not empty.
  std::size_t micro_batches(std::size_t step) const;
  // The fewest samples that one of those has in any step.
  std::size_t smallest_micro_batch() const;

 private:
  std::size_t samples_, shards_, micro_batch_, batch_;
  Shuffle shuffle_;
  std::uint64_t seed_;
  std::size_t steps_ = 0;
  std::vector<std::vector<std::uint32_t>> members_;
};

}  // namespace lockstep::data
