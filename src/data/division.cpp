#include "data/division.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/shard_plan.h"

namespace lockstep::data {
namespace {

using Samples = std::vector<std::uint32_t>;

// A random order of these samples; with labels (one for each sample of the set), sorted by class.
Samples drawn_order(const Samples& samples, std::uint64_t seed, Purpose purpose,
                    const std::vector<float>& labels) {
  Samples order = random_permutation(static_cast<std::uint32_t>(samples.size()), RandomStream(seed, purpose));
  for (std::uint32_t& place : order) place = samples[place];
  if (!labels.empty())
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return labels[a] < labels[b]; });
  return order;
}

// Moves the samples at the places of `order` that `chosen` says into test, and leaves the others in train.
template <typename Chosen>
void set_aside(const Samples& order, Division& division, const Chosen& chosen) {
  division.train.samples.clear();
  division.test = {};
  for (std::size_t i = 0; i < order.size(); ++i)
    (chosen(i) ? division.test : division.train).samples.push_back(order[i]);
  std::sort(division.train.samples.begin(), division.train.samples.end());
  std::sort(division.test.samples.begin(), division.test.samples.end());
}

void set_fraction_aside(const DataOptions& options, const std::vector<float>& labels, Division& division) {
  const std::size_t n = division.train.samples.size();
  const auto count = static_cast<std::size_t>(std::lround(options.test_fraction * static_cast<double>(n)));
  if (count >= n)
    throw ConfigError(
        fmt::format("data.test_fraction is {}, expected it to leave some of {} samples to train on",
                    options.test_fraction, n));
  const Samples order = drawn_order(division.train.samples, options.seed, Purpose::kTestSplit, labels);
  set_aside(order, division,
            [&](std::size_t i) { return labels.empty() ? i < count : i * count / n != (i + 1) * count / n; });
}

void keep_fold(const DataOptions& options, const std::vector<float>& labels, Division& division) {
  const std::size_t n = division.train.samples.size();
  if (options.folds < 2 || options.folds > n)
    throw ConfigError(
        fmt::format("data.folds is {}, expected 2 to {}, the number of training samples", options.folds, n));
  if (options.fold >= options.folds)
    throw ConfigError(fmt::format("data.fold is {}, expected 0 to {} with data.folds = {}", options.fold,
                                  options.folds - 1, options.folds));
  const Samples order = drawn_order(division.train.samples, options.seed, Purpose::kFolds, labels);
  const Range part = even_part(n, options.fold, options.folds);
  set_aside(order, division, [&](std::size_t i) {
    return labels.empty() ? i >= part.begin && i < part.end : i % options.folds == options.fold;
  });
}

// Throws ConfigError where a class has samples, and none of them to train on.
void expect_every_class(const DatasetInfo& info, const std::vector<float>& labels, const Samples& train) {
  std::vector<std::size_t> all(info.classes), left(info.classes);
  for (const float label : labels) ++all[static_cast<std::size_t>(label)];
  for (const std::uint32_t sample : train) ++left[static_cast<std::size_t>(labels[sample])];
  for (std::size_t c = 0; c < info.classes; ++c)
    if (all[c] != 0 && left[c] == 0)
      throw ConfigError(
          fmt::format("data.stratify: class {} has {} sample{} and none is left to train on, "
                      "expected more of them, or less to test on",
                      info.class_name(c), all[c], all[c] == 1 ? "" : "s"));
}

void cut(std::size_t wanted, Samples& samples, const char* key, const std::string& dataset) {
  if (wanted == 0) return;
  if (wanted > samples.size())
    throw ConfigError(fmt::format("{} is {}, expected at most {}, which is all that {} has", key, wanted,
                                  samples.size(), dataset));
  samples.resize(wanted);
}

Selection all_of(const DatasetInfo& info, Split split) {
  Selection selection{split, Samples(info.samples(split))};
  std::iota(selection.samples.begin(), selection.samples.end(), 0U);
  return selection;
}

}  // namespace

Division divide(const DatasetInfo& info, const std::function<std::vector<float>()>& labels,
                const DataOptions& options) {
  if (options.stratify && info.classes == 0)
    throw ConfigError("data.stratify is true, expected a data set of classes: the targets are values");
  if (options.stratify && options.test_fraction <= 0.0 && options.folds == 0)
    throw ConfigError("data.stratify is true, expected data.test_fraction or data.folds with it");
  const std::vector<float> classes = options.stratify ? labels() : std::vector<float>();
  Division division{all_of(info, Split::kTrain), all_of(info, Split::kTest)};
  if (options.test_fraction > 0.0) set_fraction_aside(options, classes, division);
  if (options.folds != 0) keep_fold(options, classes, division);
  if (options.stratify) expect_every_class(info, classes, division.train.samples);
  cut(options.train_samples, division.train.samples, "data.train_samples", info.name);
  cut(options.test_samples, division.test.samples, "data.test_samples", info.name);
  return division;
}

}  // namespace lockstep::data
