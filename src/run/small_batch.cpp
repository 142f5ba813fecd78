#include "run/small_batch.h"

#include <algorithm>

#include "data/dataset.h"
#include "run/experiment.h"

namespace lockstep::run {
namespace {

bool normalizes(const config::RunConfig& run) {
  return std::ranges::any_of(run.model.layers, [](const nn::LayerOptions& layer) {
    return layer.kind == nn::LayerOptions::Kind::kBatchNorm;
  });
}

}  // namespace

std::size_t small_batch(config::RunConfig run, std::size_t samples) {
  const std::size_t shards = run.data.shards, most = run.train.batch_size;
  const auto batch_of = [&](std::size_t per_shard) { return std::min(most, shards * per_shard); };
  if (!normalizes(run)) return batch_of(std::max<std::size_t>(1, samples / shards));
  const data::DatasetInfo info = data::open_dataset(run.data)->info();
  const std::size_t least = std::max<std::size_t>(4, samples / shards);
  for (std::size_t per_shard = least; per_shard < 2 * least; ++per_shard) {
    run.train.batch_size = batch_of(per_shard);
    if (plan_of(run, info).smallest_micro_batch() > 1) break;
  }
  return run.train.batch_size;
}

}  // namespace lockstep::run
