// Any division of shards among ranks.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "data/shard_division.h"

namespace lockstep::test {

// The same on all ranks whose engines are alike.
inline data::ShardDivision drawn_division(std::size_t shards, int ranks, std::mt19937_64& engine) {
  std::vector<std::size_t> counts(static_cast<std::size_t>(ranks), 1);
  for (std::size_t left = shards - counts.size(); left > 0; --left) ++counts[engine() % counts.size()];
  return data::ShardDivision(counts);
}

}  // namespace lockstep::test
