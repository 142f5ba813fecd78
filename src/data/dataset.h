// Where samples come from: a training and a test set of byte features with class labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/options.h"

namespace lockstep::data {

enum class Split { kTrain, kTest };

struct DatasetInfo {
  std::string name;
  std::size_t channels = 0;  // a sample is channels x channel_size features, channel by channel
  std::size_t channel_size = 0;
  std::size_t classes = 0;
  std::size_t train_samples = 0;
  std::size_t test_samples = 0;

  std::size_t features() const { return channels * channel_size; }
  std::size_t samples(Split split) const { return split == Split::kTrain ? train_samples : test_samples; }
};

// Samples in memory, as bytes: features (n, width) and labels (n).
struct SampleStore {
  std::size_t width = 0;
  std::vector<std::uint8_t> features;
  std::vector<std::uint8_t> labels;

  SampleStore() = default;
  SampleStore(std::size_t n, std::size_t w) : width(w), features(n * w), labels(n) {}
  std::size_t size() const { return labels.size(); }
  std::span<const std::uint8_t> row(std::size_t i) const { return {features.data() + i * width, width}; }
  std::span<std::uint8_t> row(std::size_t i) { return {features.data() + i * width, width}; }
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual DatasetInfo info() const = 0;

  // The samples with these numbers (file order, strictly ascending), in that order.
  // Throws DataError, which names the file, what was found and what was expected.
  virtual SampleStore load(Split split, std::span<const std::uint32_t> samples) const = 0;
};

// The data set that the options name, cut to train_samples and test_samples. Throws ConfigError on an unknown
// name or more samples than there are, DataError where its files are missing or have the wrong size.
std::unique_ptr<Dataset> open_dataset(const DataOptions& options);

}  // namespace lockstep::data
