// A hash of a data set's samples that does not depend on where they are in memory: two runs with the same
// fingerprint learnt from, and were tested on, the same samples.
//
// Of a split: the sum, modulo 2^64, over its samples of XXH3-64(features, seeded by XXH3-64(target, seeded by
// the sample's number)), plus the hash of the names of classes and channels. A sum has no order, so every
// rank adds what it holds, in one pass over memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/dataset.h"
#include "data/normalizer.h"

namespace lockstep::data {

// 16 hex digits for each split; "" for one without samples.
struct Fingerprint {
  std::string train, test;
  bool operator==(const Fingerprint&) const = default;
};

// What a rank adds for samples that it holds, and their IDs, their places in the split.
std::uint64_t hash_samples(const SampleStore& samples, std::span<const std::uint32_t> sample_ids);

// train, test: this rank's hash_samples. Collective if all_ranks is.
Fingerprint fingerprint(const DatasetInfo& info, std::uint64_t train, std::uint64_t test,
                        const AllRanks& all_ranks);

}  // namespace lockstep::data
