#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/cifar10.h"
#include "data/csv.h"
#include "data/function_table.h"
#include "data/planar.h"
#include "data/shard_plan.h"
#include "data/synthetic.h"

namespace lockstep::data {
namespace {

// Samples of another data set: numbers of one of its splits, ascending.
struct Selection {
  Split split = Split::kTrain;
  std::vector<std::uint32_t> samples;

  static Selection all(const DatasetInfo& info, Split split) {
    Selection selection{split, std::vector<std::uint32_t>(info.samples(split))};
    std::iota(selection.samples.begin(), selection.samples.end(), 0U);
    return selection;
  }
};

// A data set whose training and test samples are selected from another's.
class View final : public Dataset {
 public:
  View(std::unique_ptr<Dataset> whole, Selection train, Selection test)
      : whole_(std::move(whole)), train_(std::move(train)), test_(std::move(test)) {}

  DatasetInfo info() const override {
    DatasetInfo info = whole_->info();
    info.train_samples = train_.samples.size();
    info.test_samples = test_.samples.size();
    return info;
  }
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override {
    const Selection& selection = split == Split::kTrain ? train_ : test_;
    std::vector<std::uint32_t> wanted;
    for (const std::uint32_t sample : samples) wanted.push_back(selection.samples[sample]);
    return whole_->load(selection.split, wanted);
  }
  std::vector<FileHash> files() const override { return whole_->files(); }

 private:
  std::unique_ptr<Dataset> whole_;
  Selection train_, test_;
};

// The order that decides which samples are set aside: each part of it, sorted, is a fair choice.
Selection part_of(const std::vector<std::uint32_t>& order, Range part) {
  Selection selection;
  for (std::size_t i = part.begin; i < part.end; ++i) selection.samples.push_back(order[i]);
  std::sort(selection.samples.begin(), selection.samples.end());
  return selection;
}

// What `part` leaves of 0..n-1.
Selection all_but(const Selection& part, std::size_t n) {
  Selection rest;
  for (std::uint32_t sample = 0; sample < n; ++sample)
    if (!std::binary_search(part.samples.begin(), part.samples.end(), sample)) rest.samples.push_back(sample);
  return rest;
}

std::unique_ptr<Dataset> set_aside_for_testing(std::unique_ptr<Dataset> whole, const DataOptions& options) {
  const std::size_t n = whole->info().train_samples;
  const auto count = static_cast<std::size_t>(std::lround(options.test_fraction * static_cast<double>(n)));
  if (count >= n)
    throw ConfigError(
        fmt::format("data.test_fraction is {}, expected it to leave some of {} samples to train on",
                    options.test_fraction, n));
  const auto order =
      random_permutation(static_cast<std::uint32_t>(n), RandomStream(options.seed, Purpose::kTestSplit));
  Selection test = part_of(order, {0, count});
  Selection train = all_but(test, n);
  return std::make_unique<View>(std::move(whole), std::move(train), std::move(test));
}

std::unique_ptr<Dataset> narrow_to_fold(std::unique_ptr<Dataset> whole, const DataOptions& options) {
  const std::size_t n = whole->info().train_samples;
  if (options.folds < 2 || options.folds > n)
    throw ConfigError(
        fmt::format("data.folds is {}, expected 2 to {}, the number of training samples", options.folds, n));
  if (options.fold >= options.folds)
    throw ConfigError(fmt::format("data.fold is {}, expected 0 to {} with data.folds = {}", options.fold,
                                  options.folds - 1, options.folds));
  const auto order =
      random_permutation(static_cast<std::uint32_t>(n), RandomStream(options.seed, Purpose::kFolds));
  Selection test = part_of(order, even_part(n, options.fold, options.folds));
  Selection train = all_but(test, n);
  return std::make_unique<View>(std::move(whole), std::move(train), std::move(test));
}

void cut(std::size_t wanted, std::vector<std::uint32_t>& samples, const char* key,
         const std::string& dataset) {
  if (wanted == 0) return;
  if (wanted > samples.size())
    throw ConfigError(fmt::format("{} is {}, expected at most {}, which is all that {} has", key, wanted,
                                  samples.size(), dataset));
  samples.resize(wanted);
}

// Throws DataError where a network that was trained on data like `trained` cannot take these as its inputs or
// these classes as its own.
void expect_like(const DatasetInfo& found, const DatasetInfo& trained) {
  const auto expect = [&](bool alike, const std::string& has, const std::string& expected) {
    if (!alike)
      throw DataError(fmt::format("{}: has {}, expected {} as in {}, which the network was trained on",
                                  found.name, has, expected, trained.name));
  };
  const auto inputs = [](const DatasetInfo& info) {
    return fmt::format("{} {} a sample", info.features(), info.pixels ? "pixels" : "numbers");
  };
  const auto classes = [](const DatasetInfo& info) {
    return info.classes == 0 ? std::string("values as targets") : fmt::format("{} classes", info.classes);
  };
  const auto names = [](const DatasetInfo& info) {
    return fmt::format("classes {}", fmt::join(info.class_names, ", "));
  };
  expect(found.pixels == trained.pixels && found.channels == trained.channels &&
             found.channel_size == trained.channel_size,
         inputs(found), inputs(trained));
  expect(found.classes == trained.classes, classes(found), classes(trained));
  expect(found.class_names.empty() || trained.class_names.empty() || found.class_names == trained.class_names,
         names(found), names(trained));
}

std::unique_ptr<Dataset> open_whole(const DataOptions& options, const DatasetInfo* trained) {
  if (options.dataset == "cifar10") return std::make_unique<Cifar10>(options.dir);
  if (options.dataset == "synthetic") return std::make_unique<Synthetic>();
  if (options.dataset == "csv")
    return options.test_fraction > 0.0
               ? set_aside_for_testing(std::make_unique<Csv>(options, trained), options)
               : std::make_unique<Csv>(options, trained);
  if (options.dataset == "function")
    return set_aside_for_testing(std::make_unique<FunctionTable>(options), options);
  if (const auto shape = planar_shape(options.dataset))
    return set_aside_for_testing(std::make_unique<Planar>(*shape, options), options);
  throw ConfigError(fmt::format("data.dataset is \"{}\", expected one of {}", options.dataset,
                                fmt::join(kDatasetNames, ", ")));
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DataOptions& options, const DatasetInfo* trained) {
  std::unique_ptr<Dataset> whole = open_whole(options, trained);
  if (trained != nullptr) expect_like(whole->info(), *trained);
  if (options.folds != 0) whole = narrow_to_fold(std::move(whole), options);
  const DatasetInfo info = whole->info();
  Selection train = Selection::all(info, Split::kTrain), test = Selection::all(info, Split::kTest);
  cut(options.train_samples, train.samples, "data.train_samples", info.name);
  cut(options.test_samples, test.samples, "data.test_samples", info.name);
  return std::make_unique<View>(std::move(whole), std::move(train), std::move(test));
}

std::vector<std::filesystem::path> files_of(const DataOptions& options) {
  if (options.dataset == "cifar10") return cifar10_files(options.dir);
  std::vector<std::filesystem::path> files;
  if (options.dataset == "csv")
    for (const std::filesystem::path& file : {options.file, options.test_file})
      if (!file.empty()) files.push_back(file);
  return files;
}

}  // namespace lockstep::data
