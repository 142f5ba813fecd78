// Each normalization's formula in double, and the independence of its statistics from the spread over ranks.
#include "data/normalizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "data/batch_loader.h"
#include "made_up_dataset.h"
#include "support.h"

namespace lockstep::data {
namespace {

using test::MadeUpDataset;

constexpr std::size_t kSamples = 53, kFeatures = MadeUpDataset::kFeatures;

SampleStore all_samples(const Dataset& dataset) {
  std::vector<std::uint32_t> numbers(dataset.info().train_samples);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return dataset.load(Split::kTrain, numbers);
}

std::vector<float> applied(const Normalizer& normalizer, std::span<const std::uint8_t> pixels) {
  std::vector<float> x(pixels.size(), std::nanf(""));
  normalizer.apply(pixels, x);
  return x;
}

// Mean and population deviation of pixel / 255 over features [begin, end) of all samples.
struct Statistics {
  double mean = 0.0, deviation = 0.0;
};
Statistics statistics(const SampleStore& samples, std::size_t begin, std::size_t end) {
  const double count = static_cast<double>(samples.size() * (end - begin));
  Statistics s;
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (std::size_t j = begin; j < end; ++j) s.mean += samples.row(i)[j] / 255.0 / count;
  double variance = 0.0;
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (std::size_t j = begin; j < end; ++j)
      variance += std::pow(samples.row(i)[j] / 255.0 - s.mean, 2) / count;
  s.deviation = std::sqrt(variance);
  return s;
}

class NormalizerTest : public testing::Test {
 protected:
  // Compares every feature of every sample with formula(pixel, feature).
  template <typename Formula>
  void expect_formula(Normalization kind, double tolerance, Formula&& formula) {
    const Normalizer normalizer(kind, dataset_.info(), feature_sums(samples_), kSamples);
    for (std::size_t i = 0; i < kSamples; ++i) {
      const auto x = applied(normalizer, samples_.row(i));
      for (std::size_t j = 0; j < kFeatures; ++j)
        EXPECT_NEAR(x[j], formula(samples_.row(i)[j], j), tolerance) << "sample " << i << ", feature " << j;
    }
  }

  const MadeUpDataset dataset_{kSamples, 0};
  const SampleStore samples_ = all_samples(dataset_);
};

TEST_F(NormalizerTest, NoneKeepsThePixel) {
  expect_formula(Normalization::kNone, 0.0, [](double pixel, std::size_t) { return pixel; });
}

TEST_F(NormalizerTest, ScaleDividesBy255) {
  expect_formula(Normalization::kScale, 1e-7, [](double pixel, std::size_t) { return pixel / 255.0; });
}

TEST_F(NormalizerTest, MeanTakesEachFeaturesMeanAway) {
  expect_formula(Normalization::kMean, 2e-7, [&](double pixel, std::size_t j) {
    return pixel / 255.0 - statistics(samples_, j, j + 1).mean;
  });
}

TEST_F(NormalizerTest, MeanStdGivesEachChannelMeanZeroAndDeviationOne) {
  expect_formula(Normalization::kMeanStd, 5e-6, [&](double pixel, std::size_t j) {
    const std::size_t channel_size = dataset_.info().channel_size, channel = j / channel_size;
    const auto s = statistics(samples_, channel * channel_size, (channel + 1) * channel_size);
    return (pixel / 255.0 - s.mean) / s.deviation;
  });
}

TEST_F(NormalizerTest, AChannelOfASingleValueBecomesZero) {
  SampleStore flat(10, kFeatures);
  for (auto& pixel : flat.features) pixel = 77;
  const Normalizer normalizer(Normalization::kMeanStd, dataset_.info(), feature_sums(flat), flat.size());
  for (const float x : applied(normalizer, flat.row(3))) EXPECT_EQ(x, 0.0F);
}

TEST_F(NormalizerTest, DoesNotDependOnTheSpreadOverRanks) {
  const ShardPlan plan(kSamples, 7, 7, Shuffle::kShards, 5);
  const auto whole = feature_sums(samples_);
  for (const int world : {1, 2, 3, 7}) {
    std::vector<std::int64_t> sums(2 * kFeatures);
    for (int rank = 0; rank < world; ++rank) {
      const auto part = feature_sums(BatchLoader(dataset_, plan, rank, world).samples());
      for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += part[k];
    }
    EXPECT_EQ(sums, whole);
  }
}

TEST_F(NormalizerTest, SumsDoNotOverflowOnManyBrightSamples) {
  SampleStore bright(70000, 1);
  for (auto& pixel : bright.features) pixel = 255;
  EXPECT_EQ(feature_sums(bright), (std::vector<std::int64_t>{70000LL * 255, 70000LL * 255 * 255}));
}

TEST_F(NormalizerTest, NeedsTwoSumsAFeature) {
  const std::vector<std::int64_t> sums(kFeatures);
  for (const Normalization kind : {Normalization::kMean, Normalization::kMeanStd})
    EXPECT_THROW(Normalizer(kind, dataset_.info(), sums, kSamples), ShapeError);
}

}  // namespace
}  // namespace lockstep::data
