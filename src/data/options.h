// What the [data] section of a configuration decides.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace lockstep::data {

enum class Shuffle { kShards, kNone };                        // shard_plan.h says what they do
enum class Normalization { kNone, kScale, kMean, kMeanStd };  // normalizer.h gives the formulas

inline constexpr const char* kDatasetNames[] = {"cifar10", "synthetic"};

struct DataOptions {
  std::string dataset = "cifar10";
  std::filesystem::path dir;  // empty: CIFAR10_DIR, else data/cifar-10-batches-bin
  std::size_t shards = 8;
  Shuffle shuffle = Shuffle::kShards;
  Normalization normalize = Normalization::kMean;
  std::size_t train_samples = 0;  // use the first n only; 0: all
  std::size_t test_samples = 0;
};

}  // namespace lockstep::data
