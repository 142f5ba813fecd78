// What of a data set can be seen without any network, for lockstep sanity.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/normalizer.h"
#include "run/check.h"

namespace lockstep::run {

// The network's inputs, of some samples: finite, not all alike, and of a size that networks are made for. One
// rank's samples.
Check check_inputs(const data::Dataset& dataset, data::Normalization normalize);

// The samples by their hashes, which are read a block at a time.
struct SampleHashes {
  std::vector<std::uint64_t> features;
  std::vector<float> targets;
};
SampleHashes hash_split(const data::Dataset& dataset, data::Split split);

// Test samples that are training samples too: at most one of a hundred.
Check check_overlap(const SampleHashes& train, const SampleHashes& test);
// Training samples with the features of another and a target of their own: at most one of a hundred.
Check check_contradictions(const SampleHashes& train);

// How many samples of each class a split has.
std::vector<std::size_t> class_counts(const data::DatasetInfo& info, std::span<const float> targets);

// Each class has samples to train on and, if there is a test set, to test on. Of values: they are of order 1,
// as the network sees them, and not all alike.
Check check_targets(const data::DatasetInfo& info, const SampleHashes& train, const SampleHashes& test);

}  // namespace lockstep::run
