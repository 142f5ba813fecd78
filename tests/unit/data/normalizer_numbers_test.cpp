// Each normalization's formula for numbers in double, at very different magnitudes, and the independence of
// its statistics from the spread over ranks.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "data/normalized.h"
#include "data/normalizer.h"
#include "data/simulated_ranks.h"
#include "support.h"

namespace lockstep::data {
namespace {

using test::applied;
using test::kNormalizations;

constexpr std::size_t kSampleCount = 211;

// What feature j is made of: centre + width * a draw on [-1, 1).
struct Feature {
  float centre, width;
};
constexpr Feature kScales[] = {{0.0F, 1e-6F},    {0.0F, 1.0F},    {0.0F, 1e9F},
                               {-3.0F, 1.0F},    {1000.0F, 0.1F}, {-1e9F, 1e4F},
                               {1e-20F, 1e-22F}, {2000.0F, 1.0F}, {1e30F, 1e30F}};
constexpr std::size_t kWidth = std::size(kScales);

SampleStore samples_of(std::span<const Feature> features, std::size_t n) {
  SampleStore store = SampleStore::of_values(n, features.size());
  const auto draws = test::random_floats(n * features.size(), 5);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < features.size(); ++j)
      store.value_row(i)[j] = features[j].centre + features[j].width * draws[i * features.size() + j];
  return store;
}

DatasetInfo info_of(const SampleStore& samples) {
  DatasetInfo info;
  info.pixels = false;
  info.channels = samples.width;
  info.channel_size = 1;
  info.train_samples = samples.size();
  return info;
}

struct Statistics {
  double mean = 0.0, stddev = 0.0, largest = 0.0;
};
Statistics statistics(const SampleStore& samples, std::size_t j) {
  Statistics s;
  const auto n = static_cast<double>(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    s.mean += samples.value_row(i)[j] / n;
    s.largest = std::max(s.largest, std::fabs(samples.value_row(i)[j]));
  }
  double variance = 0.0;
  for (std::size_t i = 0; i < samples.size(); ++i)
    variance += std::pow(samples.value_row(i)[j] - s.mean, 2) / n;
  s.stddev = std::sqrt(variance);
  return s;
}

// Compares every number with formula(value, statistics of its feature). rounding: of the result, in units of
// the last place of 1, relative to the terms that formula adds: (|v| + |m|) times its factor.
void expect_formula(Normalization kind, double roundings,
                    const std::function<double(double, const Statistics&)>& formula,
                    const std::function<double(const Statistics&)>& factor) {
  const SampleStore samples = samples_of(kScales, kSampleCount);
  const Normalizer normalizer(kind, info_of(samples), samples, {});
  for (std::size_t j = 0; j < kWidth; ++j) {
    const Statistics s = statistics(samples, j);
    for (std::size_t i = 0; i < kSampleCount; ++i) {
      const double v = samples.value_row(i)[j];
      EXPECT_NEAR(applied(normalizer, samples, i)[j], formula(v, s),
                  roundings * 0x1p-24 * (std::fabs(v) + std::fabs(s.mean)) * factor(s))
          << "sample " << i << ", feature " << j;
    }
  }
}

TEST(NormalizerOfNumbers, NoneKeepsTheNumber) {
  expect_formula(
      Normalization::kNone, 0.0, [](double v, const Statistics&) { return v; },
      [](const Statistics&) { return 1.0; });
}

TEST(NormalizerOfNumbers, ScaleDividesByTheLargestMagnitude) {
  expect_formula(
      Normalization::kScale, 2.0, [](double v, const Statistics& s) { return v / s.largest; },
      [](const Statistics& s) { return 1.0 / s.largest; });
}

TEST(NormalizerOfNumbers, MeanTakesEachFeaturesMeanAway) {
  expect_formula(
      Normalization::kMean, 2.0, [](double v, const Statistics& s) { return v - s.mean; },
      [](const Statistics&) { return 1.0; });
}

TEST(NormalizerOfNumbers, MeanStdGivesEachFeatureMeanZeroAndDeviationOne) {
  expect_formula(
      Normalization::kMeanStd, 3.0, [](double v, const Statistics& s) { return (v - s.mean) / s.stddev; },
      [](const Statistics& s) { return 1.0 / s.stddev; });
}

// A thousandth of a percent, where all but a few digits of the numbers are the same.
TEST(NormalizerOfNumbers, SeesSmallDeviationsOfLargeNumbers) {
  const Feature features[] = {{1000.0F, 0.001F}, {-2e5F, 0.5F}, {1.0F, 1e-5F}};
  const SampleStore samples = samples_of(features, kSampleCount);
  const Normalizer normalizer(Normalization::kMeanStd, info_of(samples), samples, {});
  for (std::size_t j = 0; j < std::size(features); ++j) {
    double low = samples.value_row(0)[j], high = low, x_low = INFINITY, x_high = -INFINITY;
    for (std::size_t i = 0; i < kSampleCount; ++i) {
      low = std::min(low, samples.value_row(i)[j]);
      high = std::max(high, samples.value_row(i)[j]);
      x_low = std::min(x_low, double{applied(normalizer, samples, i)[j]});
      x_high = std::max(x_high, double{applied(normalizer, samples, i)[j]});
    }
    const double expected = (high - low) / statistics(samples, j).stddev;
    EXPECT_NEAR(x_high - x_low, expected, 1e-5 * expected);
  }
}

// Times of seconds, energies of 1e300, and what is left of them: of a column that runs evenly over its range,
// x does too, whatever the column's magnitude and its distance from 0.
TEST(NormalizerOfNumbers, KeepsWhatFloat32CannotTellApart) {
  struct Column {
    double start, step;
  };
  for (const auto [start, step] : {Column{1.7e9, 1.0}, Column{-9.7e17, 1024.0}, Column{1e300, 1e287},
                                   Column{-1e300, 2e298}, Column{1e-300, 3e-301}, Column{1.0, 1e-12}}) {
    constexpr std::size_t kSteps = 100;
    SampleStore samples = SampleStore::of_values(kSteps + 1, 1);
    for (std::size_t i = 0; i <= kSteps; ++i) samples.values[i] = start + static_cast<double>(i) * step;
    const Normalizer normalizer(Normalization::kMeanStd, info_of(samples), samples, {});
    const double stddev = std::sqrt(kSteps * (kSteps + 2) / 12.0);  // of 0, 1, ..., kSteps
    for (std::size_t i = 0; i <= kSteps; ++i)
      EXPECT_NEAR(applied(normalizer, samples, i)[0], (static_cast<double>(i) - kSteps / 2.0) / stddev, 2e-3)
          << start << " + " << i << " x " << step;
  }
}

TEST(NormalizerOfNumbers, MeanAndScaleKeepWhatFloat32CannotTellApart) {
  SampleStore times = SampleStore::of_values(3, 1);
  times.values = {1.7e9, 1.7e9 + 1.0, 1.7e9 + 2.0};
  const Normalizer mean(Normalization::kMean, info_of(times), times, {});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(applied(mean, times, i)[0], static_cast<float>(i) - 1.0F);
  SampleStore large = SampleStore::of_values(3, 1);
  large.values = {-1e300, 5e299, 1e-300};
  const Normalizer scale(Normalization::kScale, info_of(large), large, {});
  EXPECT_EQ(applied(scale, large, 0)[0], -1.0F);
  EXPECT_EQ(applied(scale, large, 1)[0], 0.5F);
  EXPECT_EQ(applied(scale, large, 2)[0], 0.0F);
}

// Published hashes rest on it: numbers that float32 holds are normalised as if all of it were done in
// float32.
TEST(NormalizerOfNumbers, AgreesToTheBitWithFloat32WhereThatIsEnough) {
  const Feature features[] = {{0.5F, 0.5F}, {0.0F, 5.0F}, {-3.0F, 1.0F}, {0.0F, 1e9F}, {1e-20F, 1e-20F}};
  const SampleStore samples = samples_of(features, kSampleCount);
  for (const Normalization kind : kNormalizations) {
    const Normalizer normalizer(kind, info_of(samples), samples, {});
    for (std::size_t j = 0; j < std::size(features); ++j) {
      const Statistics s = statistics(samples, j);
      const bool moves = kind == Normalization::kMean || kind == Normalization::kMeanStd;
      const auto shift = moves ? static_cast<float>(-s.mean) : 0.0F;
      const auto scale = kind == Normalization::kMeanStd ? static_cast<float>(1.0 / s.stddev)
                         : kind == Normalization::kScale ? static_cast<float>(1.0 / s.largest)
                                                         : 1.0F;
      for (std::size_t i = 0; i < kSampleCount; ++i) {
        const float expected = (static_cast<float>(samples.value_row(i)[j]) + shift) * scale;
        EXPECT_EQ(applied(normalizer, samples, i)[j], expected) << "sample " << i << ", feature " << j;
      }
    }
  }
}

// Whatever value a sample outside the training set has.
TEST(NormalizerOfNumbers, AFeatureOfASingleValueBecomesZero) {
  const Feature features[] = {{0.1F, 0.0F}, {-7.0F, 0.0F}, {1e9F, 0.0F}, {0.0F, 0.0F}, {0.3F, 0.0F}};
  const SampleStore flat = samples_of(features, 10);
  SampleStore other = flat;
  for (double& value : other.values) value = value * 2.0 + 1.0;
  const Normalizer normalizer(Normalization::kMeanStd, info_of(flat), flat, {});
  const Normalizer one_sample(Normalization::kMeanStd, info_of(samples_of(features, 1)),
                              samples_of(features, 1), {});
  for (const auto& samples : {flat, other}) {
    for (const float x : applied(normalizer, samples, 3)) EXPECT_EQ(x, 0.0F);
    for (const float x : applied(one_sample, samples, 3)) EXPECT_EQ(x, 0.0F);
  }
  const Normalizer mean(Normalization::kMean, info_of(flat), flat, {});
  for (const float x : applied(mean, flat, 3)) EXPECT_EQ(x, 0.0F);
}

TEST(NormalizerOfNumbers, AFeatureOfZerosHasNoScaleAndBecomesZero) {
  const Feature features[] = {{0.0F, 0.0F}};
  const SampleStore zeros = samples_of(features, 10);
  SampleStore other = zeros;
  for (double& value : other.values) value = 3.0;
  const Normalizer normalizer(Normalization::kScale, info_of(zeros), zeros, {});
  EXPECT_EQ(applied(normalizer, zeros, 0)[0], 0.0F);
  EXPECT_EQ(applied(normalizer, other, 0)[0], 0.0F);
}

// Dealt out in turn, cut in pieces of which one is empty, and in another order.
TEST(NormalizerOfNumbers, GivesTheSameBitsHoweverSamplesAreSpreadOverRanks) {
  const SampleStore whole = samples_of(kScales, kSampleCount);
  const auto part = [&](const std::function<bool(std::size_t)>& has, bool backwards) {
    SampleStore store = SampleStore::of_values(0, kWidth);
    for (std::size_t k = 0; k < kSampleCount; ++k) {
      const std::size_t i = backwards ? kSampleCount - 1 - k : k;
      if (!has(i)) continue;
      store.values.insert(store.values.end(), whole.value_row(i).begin(), whole.value_row(i).end());
      store.targets.push_back(0.0F);
    }
    return store;
  };
  for (const Normalization kind : kNormalizations) {
    const Normalizer alone(kind, info_of(whole), whole, {});
    for (const std::size_t ranks : {1, 2, 3, 8}) {
      std::vector<SampleStore> dealt, cut;
      for (std::size_t r = 0; r < ranks; ++r) {
        dealt.push_back(part([&](std::size_t i) { return i % ranks == r; }, r % 2 == 1));
        cut.push_back(part([&](std::size_t i) { return std::min(i / 100, ranks - 1) == r; }, false));
      }
      for (const auto& parts : {dealt, cut})
        for (const Normalizer& normalizer : test::normalizers_of_ranks(kind, info_of(whole), parts))
          for (std::size_t i = 0; i < kSampleCount; ++i)
            EXPECT_TRUE(test::same_bits(applied(normalizer, whole, i), applied(alone, whole, i)));
    }
  }
}

}  // namespace
}  // namespace lockstep::data
