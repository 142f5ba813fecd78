#include "data/batch_loader.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::data {

std::vector<std::size_t> micro_batch_rows(std::span<const Block> blocks) {
  std::vector<std::size_t> rows;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    if (b == 0 || blocks[b].shard != blocks[b - 1].shard) rows.push_back(0);
    rows.back() += blocks[b].rows();
  }
  return rows;
}

std::size_t blocks_per_step(const ShardPlan& plan) {
  const std::size_t micro_batch = std::min(plan.micro_batch(), plan.samples() / plan.shards() + 1);
  return plan.shards() * ((micro_batch + kMaxBlockRows - 1) / kMaxBlockRows);
}

BatchLoader::BatchLoader(const Dataset& dataset, const ShardPlan& plan, Range shards,
                         const Augmentation& augmentation)
    : plan_(&plan),
      shards_(shards),
      augmentation_(augmentation),
      rows_(shards.size()),
      order_(shards.size()) {
  list_samples();
  store_ = dataset.load(Split::kTrain, own_);
}

BatchLoader::BatchLoader(const BatchLoader& other, const Dataset& dataset, Range shards)
    : plan_(other.plan_),
      shards_(shards),
      augmentation_(other.augmentation_),
      rows_(shards.size()),
      order_(shards.size()) {
  list_samples();
  std::vector<std::uint32_t> missing;
  std::ranges::set_difference(own_, other.own_, std::back_inserter(missing));
  const SampleStore loaded = dataset.load(Split::kTrain, missing);
  const DatasetInfo info = dataset.info();
  store_ = info.pixels ? SampleStore::of_pixels(own_.size(), info.features())
                       : SampleStore::of_values(own_.size(), info.features());
  for (std::size_t i = 0, old = 0, added = 0; i < own_.size(); ++i) {
    while (old < other.own_.size() && other.own_[old] < own_[i]) ++old;
    const bool held = old < other.own_.size() && other.own_[old] == own_[i];
    store_.copy_row(i, held ? other.store_ : loaded, held ? old : added++);
  }
}

void BatchLoader::list_samples() {
  for (std::size_t s = shards_.begin; s < shards_.end; ++s) {
    const auto& members = plan_->samples_of_shard(s);
    own_.insert(own_.end(), members.begin(), members.end());
  }
  std::sort(own_.begin(), own_.end());
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    for (const std::uint32_t sample : plan_->samples_of_shard(shards_.begin + s))
      rows_[s].push_back(
          static_cast<std::uint32_t>(std::lower_bound(own_.begin(), own_.end(), sample) - own_.begin()));
  }
}

void BatchLoader::start_epoch(std::size_t epoch) {
  epoch_ = epoch;
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    order_[s] = plan_->epoch_order(epoch, shards_.begin + s);
    for (auto& position : order_[s]) position = rows_[s][position];
  }
}

std::vector<Block> BatchLoader::blocks(std::size_t step) const {
  std::vector<Block> blocks;
  for (std::size_t s = shards_.begin; s < shards_.end; ++s) {
    const Range micro_batch = plan_->micro_batch_range(step, s);
    for (std::size_t begin = micro_batch.begin; begin < micro_batch.end; begin += kMaxBlockRows)
      blocks.push_back({s, {begin, std::min(begin + kMaxBlockRows, micro_batch.end)}});
  }
  return blocks;
}

void BatchLoader::gather(std::span<const Block> blocks, const Normalizer& normalizer, std::span<float> x,
                         std::span<float> targets, std::span<std::uint32_t> sample_ids, int threads) const {
  std::vector<std::uint32_t> rows;
  for (const Block& block : blocks) {
    const auto& order = order_[block.shard - shards_.begin];
    rows.insert(rows.end(), order.begin() + static_cast<std::ptrdiff_t>(block.range.begin),
                order.begin() + static_cast<std::ptrdiff_t>(block.range.end));
  }
  require(x.size() == rows.size() * store_.width && targets.size() == rows.size() &&
              sample_ids.size() == rows.size(),
          "gather: x, targets and sample_ids are not as long as the rows");
  parallel_ranges(rows.size(), rows_worth_a_thread(store_.width), threads,
                  [&](std::size_t begin, std::size_t end) {
                    for (std::size_t i = begin; i < end; ++i) {
                      const auto row = x.subspan(i * store_.width, store_.width);
                      targets[i] = store_.targets[rows[i]];
                      sample_ids[i] = own_[rows[i]];
                      if (augmentation_.any())
                        apply_view(augmentation_.view(epoch_, sample_ids[i]), augmentation_.image(),
                                   normalizer, store_, rows[i], row);
                      else
                        normalizer.apply(store_, rows[i], row);
                    }
                  });
}

}  // namespace lockstep::data
