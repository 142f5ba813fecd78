// The made-up data set, and how a data set is opened and cut.
#include "data/synthetic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

std::vector<std::uint32_t> first(std::uint32_t n) {
  std::vector<std::uint32_t> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

TEST(Synthetic, IsTheSameEveryTime) {
  const auto a = Synthetic().load(Split::kTrain, first(50)), b = Synthetic().load(Split::kTrain, first(50));
  EXPECT_EQ(a.pixels, b.pixels);
  EXPECT_EQ(a.targets, b.targets);
}

TEST(Synthetic, ASampleDoesNotDependOnWhatIsLoadedWithIt) {
  const Synthetic dataset;
  const auto whole = dataset.load(Split::kTrain, first(100));
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
    for (const float label : Synthetic().load(split, first(kSamples)).targets) ++counts[label];
    EXPECT_EQ(counts.size(), 10U);
    for (const auto& [label, count] : counts) {
      EXPECT_LT(label, 10.0F);
      EXPECT_EQ(label, std::floor(label));
      EXPECT_NEAR(count, kSamples / 10.0, 5.0 * std::sqrt(kSamples * 0.09));
    }
  }
}

TEST(Synthetic, TrainingAndTestSamplesDiffer) {
  const auto train = Synthetic().load(Split::kTrain, first(20)),
             test = Synthetic().load(Split::kTest, first(20));
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 20; ++j)
      EXPECT_FALSE(
          std::equal(train.pixel_row(i).begin(), train.pixel_row(i).end(), test.pixel_row(j).begin()));
}

// A network can learn it: samples lie nearer to the mean of their own class than to the mean of all.
TEST(Synthetic, ClassesAreVisible) {
  const auto samples = Synthetic().load(Split::kTrain, first(400));
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

DataOptions options(const std::string& dataset, std::size_t train_samples, std::size_t test_samples) {
  DataOptions data;
  data.dataset = dataset;
  data.train_samples = train_samples;
  data.test_samples = test_samples;
  return data;
}

TEST(OpenDataset, CutsTheSetToTheSamplesAskedFor) {
  const auto whole = open_dataset(options("synthetic", 0, 0));
  EXPECT_EQ(whole->info().train_samples, 50000U);
  EXPECT_EQ(whole->info().test_samples, 10000U);
  const auto cut = open_dataset(options("synthetic", 100, 10));
  EXPECT_EQ(cut->info().train_samples, 100U);
  EXPECT_EQ(cut->info().test_samples, 10U);
  EXPECT_EQ(cut->load(Split::kTrain, first(100)).pixels, whole->load(Split::kTrain, first(100)).pixels);
  EXPECT_EQ(cut->load(Split::kTest, first(10)).pixels, whole->load(Split::kTest, first(10)).pixels);
}

TEST(OpenDataset, RefusesMoreSamplesThanThereAre) {
  using test::message_of;
  test::expect_line_with(message_of<ConfigError>([] { open_dataset(options("synthetic", 50001, 0)); }),
                         {"data.train_samples", "50001", "50000", "synthetic"});
  test::expect_line_with(message_of<ConfigError>([] { open_dataset(options("synthetic", 0, 10001)); }),
                         {"data.test_samples", "10001", "10000", "synthetic"});
}

TEST(OpenDataset, RefusesAnUnknownName) {
  test::expect_line_with(test::message_of<ConfigError>([] { open_dataset(options("cifar11", 0, 0)); }),
                         {"data.dataset", "cifar11", "cifar10", "synthetic"});
}

}  // namespace
}  // namespace lockstep::data
