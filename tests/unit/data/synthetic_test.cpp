// The made-up data set.
#include "data/synthetic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "data/points.h"

namespace lockstep::data {
namespace {

using test::first_numbers;

TEST(Synthetic, IsTheSameEveryTime) {
  const auto a = Synthetic().load(Split::kTrain, first_numbers(50)),
             b = Synthetic().load(Split::kTrain, first_numbers(50));
  EXPECT_EQ(a.pixels, b.pixels);
  EXPECT_EQ(a.targets, b.targets);
}

TEST(Synthetic, ASampleDoesNotDependOnWhatIsLoadedWithIt) {
  const Synthetic dataset;
  const auto whole = dataset.load(Split::kTrain, first_numbers(100));
  const std::vector<std::uint32_t> some = {0, 7, 64, 99};
  const auto part = dataset.load(Split::kTrain, some);
  for (std::size_t i = 0; i < some.size(); ++i) {
    EXPECT_EQ(part.targets[i], whole.targets[some[i]]);
    EXPECT_TRUE(
        std::equal(part.pixel_row(i).begin(), part.pixel_row(i).end(), whole.pixel_row(some[i]).begin()));
  }
}

TEST(Synthetic, HasEveryClassAboutEquallyOften) {
  constexpr std::uint32_t kSamples = 1000;
  for (const Split split : {Split::kTrain, Split::kTest}) {
    std::map<float, int> counts;
    for (const float label : Synthetic().load(split, first_numbers(kSamples)).targets) ++counts[label];
    EXPECT_EQ(counts.size(), 10U);
    for (const auto& [label, count] : counts) {
      EXPECT_LT(label, 10.0F);
      EXPECT_EQ(label, std::floor(label));
      EXPECT_NEAR(count, kSamples / 10.0, 5.0 * std::sqrt(kSamples * 0.09));
    }
  }
}

TEST(Synthetic, TrainingAndTestSamplesDiffer) {
  const auto train = Synthetic().load(Split::kTrain, first_numbers(20)),
             test = Synthetic().load(Split::kTest, first_numbers(20));
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 20; ++j)
      EXPECT_FALSE(
          std::equal(train.pixel_row(i).begin(), train.pixel_row(i).end(), test.pixel_row(j).begin()));
}

// A network can learn it: samples lie nearer to the mean of their own class than to the mean of all.
TEST(Synthetic, ClassesAreVisible) {
  const auto samples = Synthetic().load(Split::kTrain, first_numbers(400));
  std::vector<std::vector<double>> means(10, std::vector<double>(samples.width));
  std::vector<double> count(10), mean(samples.width);
  for (std::size_t i = 0; i < 300; ++i) {
    const auto label = static_cast<std::size_t>(samples.targets[i]);
    ++count[label];
    for (std::size_t j = 0; j < samples.width; ++j) {
      means[label][j] += samples.pixel_row(i)[j];
      mean[j] += samples.pixel_row(i)[j] / 300.0;
    }
  }
  int nearer = 0;
  for (std::size_t i = 300; i < 400; ++i) {
    double own = 0.0, all = 0.0;
    for (std::size_t j = 0; j < samples.width; ++j) {
      const auto label = static_cast<std::size_t>(samples.targets[i]);
      own += std::pow(samples.pixel_row(i)[j] - means[label][j] / count[label], 2);
      all += std::pow(samples.pixel_row(i)[j] - mean[j], 2);
    }
    nearer += own < all;
  }
  EXPECT_GE(nearer, 75);  // of 100
}

}  // namespace
}  // namespace lockstep::data
