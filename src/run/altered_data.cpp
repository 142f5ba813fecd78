#include "run/altered_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace lockstep::run {
namespace {

using data::Split;

// Next to the golden section of n, without a common factor.
std::size_t stride(std::size_t n) {
  constexpr double kGoldenSection = 0.6180339887498949;
  auto g = std::max<std::size_t>(1, static_cast<std::size_t>(kGoldenSection * static_cast<double>(n)));
  while (std::gcd(g, n) != 1) ++g;
  return g;
}

class AlteredDataset final : public data::Dataset {
 public:
  AlteredDataset(std::unique_ptr<data::Dataset> whole, const Alteration& alteration)
      : whole_(std::move(whole)),
        info_(whole_->info()),
        zero_inputs_(alteration.zero_inputs),
        train_(spread_over(info_.train_samples, alteration.train_samples)),
        test_(spread_over(info_.test_samples, alteration.test_samples)) {
    info_.train_samples = train_.size();
    info_.test_samples = test_.size();
    if (alteration.shuffled_targets) targets_ = shuffled(whole_->load(Split::kTrain, train_).targets);
  }

  data::DatasetInfo info() const override { return info_; }
  data::SampleStore load(Split split, std::span<const std::uint32_t> samples) const override {
    data::SampleStore store = whole_->load(split, wanted(split, samples));
    if (zero_inputs_) {
      std::ranges::fill(store.pixels, std::uint8_t{0});
      std::ranges::fill(store.values, 0.0);
    }
    if (split == Split::kTrain && !targets_.empty())
      for (std::size_t i = 0; i < samples.size(); ++i) store.targets[i] = targets_[samples[i]];
    return store;
  }
  std::vector<std::uint32_t> file_rows(Split split, std::span<const std::uint32_t> samples) const override {
    return whole_->file_rows(split, wanted(split, samples));
  }
  std::vector<data::FileHash> files() const override { return whole_->files(); }

 private:
  std::vector<std::uint32_t> wanted(Split split, std::span<const std::uint32_t> samples) const {
    const std::vector<std::uint32_t>& ids = split == Split::kTrain ? train_ : test_;
    std::vector<std::uint32_t> wanted;
    for (const std::uint32_t sample : samples) wanted.push_back(ids[sample]);
    return wanted;
  }

  std::unique_ptr<data::Dataset> whole_;
  data::DatasetInfo info_;
  bool zero_inputs_;
  std::vector<std::uint32_t> train_, test_;  // IDs in the whole
  std::vector<float> targets_;               // of train_; empty: as they are
};

}  // namespace

std::vector<std::uint32_t> spread_over(std::size_t n, std::size_t count) {
  std::vector<std::uint32_t> ids(count == 0 ? n : std::min(n, count));
  if (ids.size() == n) {
    std::iota(ids.begin(), ids.end(), 0U);
    return ids;
  }
  const std::size_t g = stride(n);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint32_t>(i * g % n);
  std::ranges::sort(ids);
  return ids;
}

std::vector<float> shuffled(const std::vector<float>& targets) {
  const std::size_t n = targets.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return targets[i]; });
  std::vector<float> others(n);
  const std::size_t g = n > 1 ? stride(n) : 1;
  for (std::size_t i = 0; i < n; ++i) others[order[i]] = targets[order[i * g % n]];
  return others;
}

std::unique_ptr<data::Dataset> alter(std::unique_ptr<data::Dataset> whole, const Alteration& alteration) {
  return std::make_unique<AlteredDataset>(std::move(whole), alteration);
}

}  // namespace lockstep::run
