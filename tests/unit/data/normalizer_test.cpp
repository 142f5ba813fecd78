// Each normalization's formula for pixels in double, and the independence of its statistics from the spread
// over ranks.
#include "data/normalizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "data/batch_loader.h"
#include "data/normalized.h"
#include "data/simulated_ranks.h"
#include "made_up_dataset.h"
#include "support.h"

namespace lockstep::data {
namespace {

using test::applied;
using test::MadeUpDataset;

constexpr std::size_t kSamples = 53;

SampleStore all_samples(const Dataset& dataset) {
  std::vector<std::uint32_t> numbers(dataset.info().train_samples);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return dataset.load(Split::kTrain, numbers);
}

// Mean and population deviation of pixel / 255 over features [begin, end) of all samples.
struct PixelStatistics {
  double mean = 0.0, stddev = 0.0;
};
PixelStatistics statistics(const SampleStore& samples, std::size_t begin, std::size_t end) {
  const double count = static_cast<double>(samples.size() * (end - begin));
  PixelStatistics s;
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (std::size_t j = begin; j < end; ++j) s.mean += samples.pixel_row(i)[j] / 255.0 / count;
  double variance = 0.0;
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (std::size_t j = begin; j < end; ++j)
      variance += std::pow(samples.pixel_row(i)[j] / 255.0 - s.mean, 2) / count;
  s.stddev = std::sqrt(variance);
  return s;
}

class NormalizerTest : public testing::Test {
 protected:
  // Compares every feature of every sample with formula(pixel, feature).
  template <typename Formula>
  void expect_formula(Normalization kind, double tolerance, Formula&& formula) {
    const Normalizer normalizer(kind, dataset_.info(), samples_, {});
    for (std::size_t i = 0; i < kSamples; ++i) {
      const auto x = applied(normalizer, samples_, i);
      for (std::size_t j = 0; j < MadeUpDataset::kFeatures; ++j)
        EXPECT_NEAR(x[j], formula(samples_.pixel_row(i)[j], j), tolerance)
            << "sample " << i << ", feature " << j;
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
    return (pixel / 255.0 - s.mean) / s.stddev;
  });
}

TEST_F(NormalizerTest, AChannelOfASingleValueBecomesZero) {
  SampleStore flat = SampleStore::of_pixels(10, MadeUpDataset::kFeatures);
  for (auto& pixel : flat.pixels) pixel = 77;
  const MadeUpDataset ten(10, 0);
  const Normalizer normalizer(Normalization::kMeanStd, ten.info(), flat, {});
  for (const float x : applied(normalizer, flat, 3)) EXPECT_EQ(x, 0.0F);
}

TEST_F(NormalizerTest, DoesNotDependOnTheSpreadOverRanks) {
  const ShardPlan plan(kSamples, 7, 7, Shuffle::kShards, 5);
  for (const Normalization kind :
       {Normalization::kNone, Normalization::kScale, Normalization::kMean, Normalization::kMeanStd}) {
    const Normalizer alone(kind, dataset_.info(), samples_, {});
    for (const int world : {1, 2, 3, 7}) {
      std::vector<SampleStore> parts;
      for (int rank = 0; rank < world; ++rank)
        parts.push_back(BatchLoader(dataset_, plan, ShardDivision(7, world).of_rank(rank)).samples());
      for (const Normalizer& normalizer : test::normalizers_of_ranks(kind, dataset_.info(), parts))
        for (std::size_t i = 0; i < kSamples; ++i)
          EXPECT_TRUE(test::same_bits(applied(normalizer, samples_, i), applied(alone, samples_, i)));
    }
  }
}

TEST_F(NormalizerTest, SumsDoNotOverflowOnManyBrightSamples) {
  SampleStore bright = SampleStore::of_pixels(70000, 1);
  for (auto& pixel : bright.pixels) pixel = 255;
  bright.pixels[0] = 254;
  DatasetInfo info = dataset_.info();
  info.channels = info.channel_size = 1;
  info.train_samples = bright.size();
  const double mean = 255.0 - 1.0 / 70000.0, stddev = std::sqrt(1.0 / 70000.0 * (1.0 - 1.0 / 70000.0));
  EXPECT_NEAR(applied(Normalizer(Normalization::kMean, info, bright, {}), bright, 0)[0],
              (254.0 - mean) / 255.0, 2e-7);
  // Of a mean of 67,000 deviations float keeps two digits after the point.
  EXPECT_NEAR(applied(Normalizer(Normalization::kMeanStd, info, bright, {}), bright, 0)[0],
              (254.0 - mean) / stddev, 0.02);
}

}  // namespace
}  // namespace lockstep::data
