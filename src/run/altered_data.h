// A part of a data set, as it is or with something taken away from it: what a network should, and should not,
// learn from.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "data/dataset.h"

namespace lockstep::run {

struct Alteration {
  std::size_t train_samples = 0, test_samples = 0;  // at most so many, evenly spread over the file; 0: all
  bool shuffled_targets = false;                    // of the training samples
  bool zero_inputs = false;                         // all features of all samples are 0
};

// Samples `count` of n, ascending: i g mod n with the g next to the golden section of n that shares no factor
// with it, so that no period in the file shows. All of them where there are no more.
std::vector<std::uint32_t> spread_over(std::size_t n, std::size_t count);

// The targets in another order, in which they tell nothing about the samples: each class, or each range of
// values, gets the targets of all in their shares. n targets, n results.
std::vector<float> shuffled(const std::vector<float>& targets);

// The data set with that done to it.
std::unique_ptr<data::Dataset> alter(std::unique_ptr<data::Dataset> whole, const Alteration& alteration);

}  // namespace lockstep::run
