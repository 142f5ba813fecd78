#include "run/sanity_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "run/altered_data.h"
#include "run/statistics.h"

namespace lockstep::run {
namespace {

constexpr std::size_t kBlock = 4096;     // samples in memory
constexpr std::size_t kLookedAt = 2000;  // samples whose inputs are looked at
constexpr double kLargest = 100.0;       // of an input or a target
constexpr std::size_t kOneOf = 100;      // how many samples may be alike
constexpr std::size_t kNamed = 5;        // classes in a message

// Calls visit(samples) for all samples of a split, in their order.
template <typename Visit>
void for_blocks(const data::Dataset& dataset, data::Split split, Visit&& visit) {
  const std::size_t n = dataset.info().samples(split);
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    std::vector<std::uint32_t> ids(std::min(kBlock, n - begin));
    std::iota(ids.begin(), ids.end(), static_cast<std::uint32_t>(begin));
    visit(dataset.load(split, ids));
  }
}

std::string plural(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// The names of these classes, the first few.
std::string names_of(const data::DatasetInfo& info, const std::vector<std::size_t>& classes) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(kNamed, classes.size()); ++i)
    names.push_back(info.class_name(classes[i]));
  return fmt::format("{}{}", fmt::join(names, ", "), classes.size() > kNamed ? ", ..." : "");
}

Check check_classes(const data::DatasetInfo& info, const SampleHashes& train, const SampleHashes& test) {
  return check("classes", [&] {
    const std::vector<std::size_t> trained = class_counts(info, train.targets),
                                   tested = class_counts(info, test.targets);
    std::vector<std::size_t> untrained, untested;
    for (std::size_t c = 0; c < info.classes; ++c) {
      if (trained[c] == 0) untrained.push_back(c);
      if (tested[c] == 0) untested.push_back(c);
    }
    if (!untrained.empty())
      throw DataError(fmt::format("{} of {} classes without training samples ({}), expected some of each",
                                  untrained.size(), info.classes, names_of(info, untrained)));
    if (!untested.empty() && !test.targets.empty())
      throw DataError(fmt::format("{} of {} classes without test samples ({}), expected some of each",
                                  untested.size(), info.classes, names_of(info, untested)));
    const auto [least, most] = std::ranges::minmax(trained);
    return fmt::format("{} classes of {} to {} training samples", info.classes, least, most);
  });
}

Check check_values(const SampleHashes& train) {
  return check("targets", [&] {
    Statistics targets;
    for (const float target : train.targets) targets.add(target);
    const double largest = std::max(std::fabs(targets.min()), std::fabs(targets.max()));
    const std::string found = fmt::format("{:.4g} to {:.4g}, mean {:.4g}, std {:.4g}", targets.min(),
                                          targets.max(), targets.mean(), targets.stddev());
    if (targets.min() == targets.max()) throw DataError(found + ", expected values that are not all alike");
    if (largest > kLargest)
      throw DataError(
          fmt::format("{}, expected values of order 1, at most {:g}: data.target_scale = "
                      "\"mean_std\" sees to that",
                      found, kLargest));
    return found;
  });
}

}  // namespace

Check check_inputs(const data::Dataset& dataset, data::Normalization normalize) {
  return check("inputs", [&] {
    data::DatasetInfo info = dataset.info();
    const data::SampleStore samples =
        dataset.load(data::Split::kTrain, spread_over(info.train_samples, kLookedAt));
    info.train_samples = samples.size();
    const data::Normalizer normalizer(normalize, info, samples, {});
    std::vector<float> x(samples.width), first;
    std::vector<bool> varies(samples.width);
    Statistics inputs;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      normalizer.apply(samples, i, x);
      if (i == 0) first = x;
      for (std::size_t j = 0; j < x.size(); ++j) {
        inputs.add(x[j]);
        varies[j] = varies[j] || x[j] != first[j];
      }
    }
    const auto constant = static_cast<std::size_t>(std::ranges::count(varies, false));
    const std::string found =
        fmt::format("{:.4g} to {:.4g}, mean {:.4g}, std {:.4g}; {} of {} always the same", inputs.min(),
                    inputs.max(), inputs.mean(), inputs.stddev(), constant, x.size());
    if (inputs.not_finite() > 0)
      throw DataError(fmt::format("{} inputs are not finite, expected none", inputs.not_finite()));
    if (constant == x.size()) throw DataError(found + ", expected some that differ between samples");
    if (std::max(std::fabs(inputs.min()), std::fabs(inputs.max())) > kLargest)
      throw DataError(
          fmt::format("{}, expected magnitudes of at most {:g}: data.normalize = \"mean_std\" "
                      "sees to that",
                      found, kLargest));
    return found;
  });
}

SampleHashes hash_split(const data::Dataset& dataset, data::Split split) {
  SampleHashes hashes;
  for_blocks(dataset, split, [&](const data::SampleStore& samples) {
    for (std::size_t i = 0; i < samples.size(); ++i)
      hashes.features.push_back(hash64(samples.pixels.empty() ? std::as_bytes(samples.value_row(i))
                                                              : std::as_bytes(samples.pixel_row(i))));
    hashes.targets.insert(hashes.targets.end(), samples.targets.begin(), samples.targets.end());
  });
  return hashes;
}

Check check_overlap(const SampleHashes& train, const SampleHashes& test) {
  return check("test samples", [&] {
    const std::unordered_set<std::uint64_t> trained(train.features.begin(), train.features.end());
    const auto both = static_cast<std::size_t>(
        std::ranges::count_if(test.features, [&](std::uint64_t hash) { return trained.contains(hash); }));
    const std::string found =
        fmt::format("{} of {} in the training set too", both, plural(test.features.size(), "test sample"));
    if (both * kOneOf > test.features.size())
      throw DataError(fmt::format("{}, expected none, or one of {} at most", found, kOneOf));
    return found;
  });
}

Check check_contradictions(const SampleHashes& train) {
  return check("training samples", [&] {
    std::unordered_map<std::uint64_t, float> seen;
    std::size_t alike = 0, contradictions = 0;
    for (std::size_t i = 0; i < train.features.size(); ++i) {
      const auto [first, fresh] = seen.emplace(train.features[i], train.targets[i]);
      if (fresh) continue;
      ++alike;
      contradictions += first->second != train.targets[i] ? 1 : 0;
    }
    const std::string found = fmt::format("{}, {} like another, {} of them with another target",
                                          train.features.size(), alike, contradictions);
    if (contradictions * kOneOf > train.features.size())
      throw DataError(fmt::format("{}, expected none, or one sample of {} at most", found, kOneOf));
    return found;
  });
}

std::vector<std::size_t> class_counts(const data::DatasetInfo& info, std::span<const float> targets) {
  std::vector<std::size_t> counts(info.classes);
  if (info.classes == 0) return counts;
  for (const float target : targets) ++counts[static_cast<std::size_t>(target)];
  return counts;
}

Check check_targets(const data::DatasetInfo& info, const SampleHashes& train, const SampleHashes& test) {
  return info.classes > 0 ? check_classes(info, train, test) : check_values(train);
}

}  // namespace lockstep::run
