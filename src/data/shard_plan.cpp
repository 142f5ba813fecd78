#include "data/shard_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace lockstep::data {

std::size_t micro_batch_size(std::size_t batch, std::size_t shards) {
  constexpr std::size_t kMaxShards = 1 << 20;
  if (shards == 0 || shards > kMaxShards)
    throw ConfigError(fmt::format("data.shards is {}, expected 1 to {}", shards, kMaxShards));
  if (batch == 0 || batch % shards != 0)
    throw ConfigError(fmt::format("train.batch_size is {}, expected a multiple of data.shards, which is {}",
                                  batch, shards));
  return batch / shards;
}

ShardPlan::ShardPlan(std::size_t samples, std::size_t shards, std::size_t batch, Shuffle shuffle,
                     std::uint64_t seed)
    : samples_(samples),
      shards_(shards),
      micro_batch_(micro_batch_size(batch, shards)),
      batch_(batch),
      shuffle_(shuffle),
      seed_(seed) {
  if (samples == 0) throw ConfigError("the training set has no samples, expected at least 1");
  members_.resize(shards);
  if (shuffle == Shuffle::kShards) {
    const auto order = random_permutation(static_cast<std::uint32_t>(samples),
                                          RandomStream(seed, Purpose::kShardAssignment));
    for (std::size_t s = 0; s < shards; ++s) {
      const Range part = even_part(samples, s, shards);
      members_[s].assign(order.begin() + static_cast<std::ptrdiff_t>(part.begin),
                         order.begin() + static_cast<std::ptrdiff_t>(part.end));
      std::sort(members_[s].begin(), members_[s].end());
    }
    const std::size_t largest = (samples + shards - 1) / shards;
    steps_ = (largest + micro_batch_ - 1) / micro_batch_;
  } else {
    steps_ = (samples + batch - 1) / batch;
    for (std::size_t step = 0; step < steps_; ++step) {
      for (std::size_t s = 0; s < shards; ++s) {
        const Range part = even_part(batch_samples(step), s, shards);
        for (std::size_t i = part.begin; i < part.end; ++i)
          members_[s].push_back(static_cast<std::uint32_t>(step * batch + i));
      }
    }
  }
}

std::vector<std::uint32_t> ShardPlan::epoch_order(std::size_t epoch, std::size_t shard) const {
  const auto n = static_cast<std::uint32_t>(members_[shard].size());
  if (shuffle_ == Shuffle::kShards)
    return random_permutation(n, RandomStream(seed_, Purpose::kSampleOrder, static_cast<std::uint32_t>(epoch),
                                              static_cast<std::uint32_t>(shard)));
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

Range ShardPlan::micro_batch_range(std::size_t step, std::size_t shard) const {
  const std::size_t size = members_[shard].size();
  if (shuffle_ == Shuffle::kNone && step + 1 == steps_) {
    const std::size_t count = even_part(batch_samples(step), shard, shards_).size();
    return {size - count, size};
  }
  return {std::min(size, step * micro_batch_), std::min(size, (step + 1) * micro_batch_)};
}

std::size_t ShardPlan::batch_samples(std::size_t step) const {
  if (shuffle_ == Shuffle::kNone) return std::min(batch_, samples_ - step * batch_);
  std::size_t count = 0;
  for (std::size_t s = 0; s < shards_; ++s) count += micro_batch_range(step, s).size();
  return count;
}

std::size_t ShardPlan::micro_batches(std::size_t step) const {
  std::size_t count = 0;
  for (std::size_t shard = 0; shard < shards_; ++shard)
    count += micro_batch_range(step, shard).size() > 0 ? 1 : 0;
  return count;
}

std::size_t ShardPlan::smallest_micro_batch() const {
  std::size_t smallest = micro_batch_;
  for (const std::size_t step : {std::size_t{0}, steps_ - 1})
    for (std::size_t shard = 0; shard < shards_; ++shard)
      if (const std::size_t size = micro_batch_range(step, shard).size(); size > 0)
        smallest = std::min(smallest, size);
  return smallest;
}

}  // namespace lockstep::data
