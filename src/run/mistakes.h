// The most confident mistakes of a network on images: what lockstep eval --mistakes writes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "data/dataset.h"
#include "train/evaluator.h"

namespace lockstep::run {

struct Mistake {
  double probability;    // of the class that the sample is taken for
  std::uint32_t sample;  // its ID
  std::uint32_t actual, predicted;
};

// Throws ConfigError where there are no samples, or they are no images with 1 or 3 channels, or have no
// classes.
void expect_images_of_classes(const data::DatasetInfo& info);

// The 25 mistakes with the highest probability, highest first, of equals the first in the file; fewer where
// there are no more. evaluator: this rank's part of the split. The same on any number of ranks; nothing on
// other ranks than the first. Collective.
std::vector<Mistake> surest_mistakes(const data::DatasetInfo& info, train::Evaluator& evaluator,
                                     const train::Evaluator::Network& network,
                                     const comm::Communicator& communicator, int threads);

// "row,actual,predicted,probability": a row for each, in order.
std::string mistakes_table(const data::Dataset& dataset, data::Split split,
                           std::span<const Mistake> mistakes);

// The images themselves, in the same order, see sample_images.h.
std::string mistake_images(const data::Dataset& dataset, data::Split split,
                           std::span<const Mistake> mistakes);

}  // namespace lockstep::run
