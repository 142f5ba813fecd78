// Where samples come from: a training and a test set of features, bytes or values, with a target each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/options.h"

namespace lockstep::data {

enum class Split { kTrain, kTest };

struct CsvColumns;  // csv_columns.h

// A column of a table, in words.
struct ColumnUse {
  std::string name;         // or number
  std::string use;          // "numbers", "3 categories: blue, green, red", "target: values", "not used"
  std::size_t missing = 0;  // cells, of the samples in the training file
};

struct ImageSize {
  std::size_t channels, height, width;
};

struct DatasetInfo {
  std::string name;
  bool pixels = true;        // features are bytes, else values
  std::size_t channels = 0;  // a sample is channels x channel_size features, channel by channel
  std::size_t channel_size = 0;
  std::size_t classes = 0;                      // 0: targets are values
  std::vector<std::string> class_names;         // empty: classes have numbers only
  std::optional<ImageSize> image = {};          // of a sample that is one: its features, channel by channel
  std::vector<std::string> channel_names = {};  // empty: channels have numbers only
  std::size_t train_samples = 0;
  std::size_t test_samples = 0;
  std::optional<Function> function;  // that the targets are values of
  std::string note;                  // what a user should know, in lines: how labels were mapped to classes
  // A target that is a value v is trained on as (v - mean) / stddev.
  double target_mean = 0.0, target_stddev = 1.0;
  std::vector<ColumnUse> columns = {};         // of a table, in the order of its file
  std::shared_ptr<const CsvColumns> csv = {};  // of CSV files: how their columns become features

  std::size_t features() const { return channels * channel_size; }
  // As the data set calls a class, or its number.
  std::string class_name(std::size_t label) const {
    return class_names.empty() ? std::to_string(label) : class_names[label];
  }
  std::size_t samples(Split split) const { return split == Split::kTrain ? train_samples : test_samples; }
};

// Samples in memory: features (n, width), pixels as bytes or values in double (their differences may be
// small beside them, which float32 would lose before a normalizer takes the mean away), and targets (n), a
// class's number or a value.
struct SampleStore {
  std::size_t width = 0;
  std::vector<std::uint8_t> pixels;  // one of these two is empty
  std::vector<double> values;
  std::vector<float> targets;

  static SampleStore of_pixels(std::size_t n, std::size_t width) {
    return {width, std::vector<std::uint8_t>(n * width), {}, std::vector<float>(n)};
  }
  static SampleStore of_values(std::size_t n, std::size_t width) {
    return {width, {}, std::vector<double>(n * width), std::vector<float>(n)};
  }

  std::size_t size() const { return targets.size(); }
  std::size_t bytes() const {
    return pixels.size() + values.size() * sizeof(double) + targets.size() * sizeof(float);
  }
  std::span<const std::uint8_t> pixel_row(std::size_t i) const { return {pixels.data() + i * width, width}; }
  std::span<std::uint8_t> pixel_row(std::size_t i) { return {pixels.data() + i * width, width}; }
  std::span<const double> value_row(std::size_t i) const { return {values.data() + i * width, width}; }
  std::span<double> value_row(std::size_t i) { return {values.data() + i * width, width}; }
  // Sample i <- sample j of another store with features of the same kind.
  void copy_row(std::size_t i, const SampleStore& from, std::size_t j);
};

// A file that samples come from. Ranks whose files have the same hash read the same samples, as far as
// Dataset::files says.
struct FileHash {
  std::filesystem::path path;
  std::uint64_t hash = 0;
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual DatasetInfo info() const = 0;

  // The samples with these IDs (places in file order, strictly ascending), in that order.
  // Throws DataError, which names the file, what was found and what was expected.
  virtual SampleStore load(Split split, std::span<const std::uint32_t> samples) const = 0;

  // The targets of all of a split's samples.
  virtual std::vector<float> targets(Split split) const;

  // What these samples are called where they are from: the numbers of their rows, from 1 on, in their file or
  // files, or in the order in which they were made up.
  virtual std::vector<std::uint32_t> file_rows(Split split, std::span<const std::uint32_t> samples) const;

  // The files behind it, without reading much more than a rank reads anyway: of CSV the whole content; of
  // images and arrays every 500th sample, since each rank keeps its own samples only. Other files, another
  // order of images or another download are noticed there; a single wrong record between two of these is not.
  // None of a set that is made up. Throws DataError.
  virtual std::vector<FileHash> files() const { return {}; }
};

// The data set that the options name: divided into training and test samples where it comes undivided,
// narrowed to a fold, then cut to train_samples and test_samples. Throws ConfigError on an unknown name or
// more samples or folds than there are, DataError where its files are missing or wrong.
// trained: of the data that a network was trained on, if these are for such a network. Classes then have
// its numbers, one class is enough, and columns or classes that are not its own are a DataError that names
// the file, what was found and what was expected. A CSV set may have test samples alone then.
std::unique_ptr<Dataset> open_dataset(const DataOptions& options, const DatasetInfo* trained = nullptr);

// The files that it reads; none of a set that is made up.
std::vector<std::filesystem::path> files_of(const DataOptions& options);

}  // namespace lockstep::data
