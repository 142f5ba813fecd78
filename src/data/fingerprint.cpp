#include "data/fingerprint.h"

#include "base/error.h"
#include "base/hash.h"

namespace lockstep::data {
namespace {

std::uint64_t hash_names(const DatasetInfo& info) {
  std::string names;
  for (const auto* list : {&info.class_names, &info.channel_names}) {
    for (const std::string& name : *list) names.append(name).append(1, '\0');
    names.append(1, '\1');
  }
  return hash64(std::as_bytes(std::span(names)));
}

}  // namespace

std::uint64_t hash_samples(const SampleStore& samples, std::span<const std::uint32_t> sample_ids) {
  require(samples.size() == sample_ids.size(), "hash_samples: one ID per sample is needed");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto features =
        samples.pixels.empty() ? std::as_bytes(samples.value_row(i)) : std::as_bytes(samples.pixel_row(i));
    const auto target = std::as_bytes(std::span(samples.targets).subspan(i, 1));
    sum += hash64(features, hash64(target, sample_ids[i]));
  }
  return sum;
}

Fingerprint fingerprint(const DatasetInfo& info, std::uint64_t train, std::uint64_t test,
                        const AllRanks& all_ranks) {
  constexpr std::uint64_t kLow = 0xffffffffU;
  std::int64_t halves[4];  // of both sums: room for the carries of 2^31 ranks
  for (const auto& [sum, at] : {std::pair(train, 0), std::pair(test, 2)}) {
    halves[at] = static_cast<std::int64_t>(sum & kLow);
    halves[at + 1] = static_cast<std::int64_t>(sum >> 32);
  }
  all_ranks.sum(halves);
  const std::uint64_t names = hash_names(info);
  const auto text = [&](int at, std::size_t samples) {
    const std::uint64_t sum =
        static_cast<std::uint64_t>(halves[at]) + (static_cast<std::uint64_t>(halves[at + 1]) << 32);
    return samples == 0 ? "" : hash_text(sum + names);
  };
  return {text(0, info.train_samples), text(2, info.test_samples)};
}

}  // namespace lockstep::data
