#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <system_error>

#include "base/error.h"
#include "data/cifar.h"
#include "data/csv.h"
#include "data/division.h"
#include "data/function_table.h"
#include "data/image_folder.h"
#include "data/mnist.h"
#include "data/numpy_set.h"
#include "data/planar.h"
#include "data/synthetic.h"

namespace lockstep::data {
namespace {

// A data set whose training and test samples are selected from another's.
class DividedDataset final : public Dataset {
 public:
  DividedDataset(std::unique_ptr<Dataset> whole, Division division)
      : whole_(std::move(whole)), division_(std::move(division)) {}

  DatasetInfo info() const override {
    DatasetInfo info = whole_->info();
    info.train_samples = division_.train.samples.size();
    info.test_samples = division_.test.samples.size();
    return info;
  }
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override {
    return whole_->load(selection(split).split, wanted(split, samples));
  }
  std::vector<std::uint32_t> file_rows(Split split, std::span<const std::uint32_t> samples) const override {
    return whole_->file_rows(selection(split).split, wanted(split, samples));
  }
  std::vector<FileHash> files() const override { return whole_->files(); }

 private:
  const Selection& selection(Split split) const {
    return split == Split::kTrain ? division_.train : division_.test;
  }
  std::vector<std::uint32_t> wanted(Split split, std::span<const std::uint32_t> samples) const {
    std::vector<std::uint32_t> wanted;
    for (const std::uint32_t sample : samples) wanted.push_back(selection(split).samples[sample]);
    return wanted;
  }

  std::unique_ptr<Dataset> whole_;
  Division division_;
};

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

bool is_mnist(const DataOptions& options) {
  return options.dataset == "mnist" || options.dataset == "fashion_mnist";
}

std::unique_ptr<Dataset> open_undivided(const DataOptions& options, const DatasetInfo* trained) {
  if (options.dataset == "cifar10" || options.dataset == "cifar100") return std::make_unique<Cifar>(options);
  if (is_mnist(options)) return std::make_unique<Mnist>(options);
  if (options.dataset == "numpy") return std::make_unique<NumpySet>(options, trained);
  if (options.dataset == "images")
    return std::make_unique<ImageFolder>(
        options, trained != nullptr ? trained->class_names : std::vector<std::string>());
  if (options.dataset == "synthetic") return std::make_unique<Synthetic>();
  if (options.dataset == "function") return std::make_unique<FunctionTable>(options);
  if (const auto shape = planar_shape(options.dataset)) return std::make_unique<Planar>(*shape, options);
  throw ConfigError(fmt::format("data.dataset is \"{}\", expected one of {}", options.dataset,
                                fmt::join(kDatasetNames, ", ")));
}

}  // namespace

void SampleStore::copy_row(std::size_t i, const SampleStore& from, std::size_t j) {
  if (!pixels.empty()) std::ranges::copy(from.pixel_row(j), pixel_row(i).begin());
  if (!values.empty()) std::ranges::copy(from.value_row(j), value_row(i).begin());
  targets[i] = from.targets[j];
}

std::vector<float> Dataset::targets(Split split) const {
  constexpr std::size_t kBlock = 10000;  // samples that are read at once
  const std::size_t n = info().samples(split);
  std::vector<float> targets;
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    std::vector<std::uint32_t> samples(std::min(kBlock, n - begin));
    std::iota(samples.begin(), samples.end(), static_cast<std::uint32_t>(begin));
    const SampleStore store = load(split, samples);
    targets.insert(targets.end(), store.targets.begin(), store.targets.end());
  }
  return targets;
}

std::vector<std::uint32_t> Dataset::file_rows(Split, std::span<const std::uint32_t> samples) const {
  std::vector<std::uint32_t> rows(samples.begin(), samples.end());
  for (std::uint32_t& row : rows) ++row;
  return rows;
}

std::unique_ptr<Dataset> open_dataset(const DataOptions& options, const DatasetInfo* trained) {
  if (options.dataset == "csv") {
    auto csv = std::make_unique<Csv>(options, trained);  // which divides before it fits
    if (trained != nullptr) expect_like(csv->info(), *trained);
    return csv;
  }
  std::unique_ptr<Dataset> whole = open_undivided(options, trained);
  if (trained != nullptr) expect_like(whole->info(), *trained);
  Division division = divide(
      whole->info(), [&] { return whole->targets(Split::kTrain); }, options);
  return std::make_unique<DividedDataset>(std::move(whole), std::move(division));
}

std::vector<std::filesystem::path> files_of(const DataOptions& options) {
  if (options.dataset == "cifar10" || options.dataset == "cifar100") return cifar_files(options);
  if (is_mnist(options)) return mnist_files(options);
  if (options.dataset == "images") return image_files(options);
  std::vector<std::filesystem::path> files;
  if (options.dataset != "csv" && options.dataset != "numpy") return files;
  for (const std::filesystem::path& file : {options.file, options.test_file}) {
    if (file.empty()) continue;
    std::error_code ignored;
    if (options.dataset == "csv" || !std::filesystem::is_directory(file, ignored))
      files.push_back(file);
    else
      std::ranges::copy(npz::npy_files(file), std::back_inserter(files));
  }
  return files;
}

}  // namespace lockstep::data
