#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "data/cifar10.h"
#include "data/synthetic.h"

namespace lockstep::data {
namespace {

// The first samples of another data set.
class FirstSamples final : public Dataset {
 public:
  FirstSamples(std::unique_ptr<Dataset> whole, DatasetInfo info)
      : whole_(std::move(whole)), info_(std::move(info)) {}
  DatasetInfo info() const override { return info_; }
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override {
    return whole_->load(split, samples);
  }

 private:
  std::unique_ptr<Dataset> whole_;
  DatasetInfo info_;
};

void cut(std::size_t wanted, std::size_t& samples, const char* key, const std::string& dataset) {
  if (wanted == 0) return;
  if (wanted > samples)
    throw ConfigError(fmt::format("{} is {}, expected at most {}, which is all that {} has", key, wanted,
                                  samples, dataset));
  samples = wanted;
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DataOptions& options) {
  std::unique_ptr<Dataset> whole;
  if (options.dataset == "cifar10")
    whole = std::make_unique<Cifar10>(options.dir);
  else if (options.dataset == "synthetic")
    whole = std::make_unique<Synthetic>();
  else
    throw ConfigError(fmt::format("data.dataset is \"{}\", expected one of {}", options.dataset,
                                  fmt::join(kDatasetNames, ", ")));
  DatasetInfo info = whole->info();
  cut(options.train_samples, info.train_samples, "data.train_samples", info.name);
  cut(options.test_samples, info.test_samples, "data.test_samples", info.name);
  return std::make_unique<FirstSamples>(std::move(whole), std::move(info));
}

}  // namespace lockstep::data
