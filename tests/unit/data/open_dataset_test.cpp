// How a data set is opened: divided into training and test samples, narrowed to a fold, cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "base/error.h"
#include "data/dataset.h"
#include "data/points.h"
#include "support.h"

namespace lockstep::data {
namespace {

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
  EXPECT_EQ(cut->load(Split::kTrain, test::first_numbers(100)).pixels,
            whole->load(Split::kTrain, test::first_numbers(100)).pixels);
  EXPECT_EQ(cut->load(Split::kTest, test::first_numbers(10)).pixels,
            whole->load(Split::kTest, test::first_numbers(10)).pixels);
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

// A table of 0, 1/(n-1), ..., 1, so that a sample's x tells its number in the whole set.
DataOptions table(std::size_t n) {
  DataOptions data;
  data.dataset = "function";
  data.n = n;
  return data;
}

using Numbers = std::vector<std::uint32_t>;

// The samples of a split as numbers of the whole set.
Numbers whole_numbers(const DataOptions& options, Split split) {
  const auto dataset = open_dataset(options);
  Numbers numbers;
  for (const double x : test::load_all(*dataset, split).values)
    numbers.push_back(static_cast<std::uint32_t>(std::lround(x * static_cast<float>(options.n - 1))));
  EXPECT_EQ(numbers.size(), dataset->info().samples(split));
  return numbers;
}

Numbers joined(Numbers a, const Numbers& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  return a;
}

TEST(OpenDataset, KnowsEverySetOfTheListByItsName) {
  const test::TemporaryFolder folder;
  for (const std::string name : kDatasetNames) {
    SCOPED_TRACE(name);
    DataOptions options;
    options.dataset = name;
    options.n = 10;
    options.dir = folder.path();  // without the files of a set that has files
    options.file = folder.path() / "missing.csv";
    if (name == "cifar10" || name == "cifar100" || name == "csv" || name == "numpy" || name == "images" ||
        name.ends_with("mnist"))
      EXPECT_THROW(open_dataset(options), DataError);
    else
      EXPECT_EQ(open_dataset(options)->info().name, name);
  }
}

TEST(TestFraction, SetsAsideThatPartOfTheSamples) {
  for (const std::size_t n : {2, 10, 101}) {
    for (const double fraction : {0.0, 0.04, 0.25, 0.5}) {
      DataOptions options = table(n);
      options.test_fraction = fraction;
      const auto expected = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(n)));
      const Numbers train = whole_numbers(options, Split::kTrain),
                    test = whole_numbers(options, Split::kTest);
      EXPECT_EQ(test.size(), expected) << n << " samples, " << fraction;
      EXPECT_EQ(joined(train, test), test::first_numbers(n));  // disjoint, and all there
      EXPECT_TRUE(std::is_sorted(train.begin(), train.end()));
      EXPECT_TRUE(std::is_sorted(test.begin(), test.end()));
    }
  }
}

TEST(TestFraction, MustLeaveSamplesToTrainOn) {
  DataOptions options = table(10);
  for (const double fraction : {1.0, 0.96}) {
    options.test_fraction = fraction;
    test::expect_line_with(
        test::message_of<ConfigError>([&] { open_dataset(options); }),
        {"data.test_fraction is " + std::string(fraction == 1.0 ? "1" : "0.96"), "10 samples"});
  }
  options.test_fraction = 0.94;
  EXPECT_EQ(whole_numbers(options, Split::kTrain).size(), 1U);
}

// Not on shuffling, noise or shards, which are the run's; nor is it the beginning or the end of the file.
TEST(TestFraction, WhichSamplesDependsOnTheSeedOfTheDataAlone) {
  DataOptions options = table(200);
  options.test_fraction = 0.25;
  const Numbers test = whole_numbers(options, Split::kTest);
  DataOptions other = options;
  other.noise = 0.3;
  other.shards = 3;
  other.shuffle = Shuffle::kNone;
  other.function = Function::kKink;
  other.normalize = Normalization::kMeanStd;
  EXPECT_EQ(whole_numbers(other, Split::kTest), test);
  EXPECT_LT(test.front(), 30U);
  EXPECT_GT(test.back(), 170U);
  for (const std::uint64_t seed : {std::uint64_t{2}, (std::uint64_t{1} << 32) + 1}) {
    other.seed = seed;
    EXPECT_NE(whole_numbers(other, Split::kTest), test);
  }
}

TEST(TestFraction, IsOfTheRowsOfACsvFileToo) {
  const test::TemporaryFolder folder;
  DataOptions options = table(40);
  options.dataset = "csv";
  options.task = Task::kRegression;
  options.file = folder.path() / "table.csv";
  std::ofstream file(options.file);
  for (int i = 0; i < 40; ++i) file << i / 39.0 << ",1\n";
  file.close();
  EXPECT_EQ(whole_numbers(options, Split::kTrain), test::first_numbers(40));
  EXPECT_TRUE(whole_numbers(options, Split::kTest).empty());
  options.test_fraction = 0.25;
  DataOptions function = table(40);
  function.test_fraction = 0.25;
  EXPECT_EQ(whole_numbers(options, Split::kTest), whole_numbers(function, Split::kTest));
  EXPECT_EQ(whole_numbers(options, Split::kTrain), whole_numbers(function, Split::kTrain));
}

TEST(Folds, AreDisjointCoverAllAndDifferInSizeByAtMostOne) {
  for (const std::size_t n : {2, 7, 10, 101}) {
    for (const std::size_t folds : {std::size_t{2}, std::size_t{3}, std::size_t{5}, n}) {
      if (folds > n) continue;
      DataOptions options = table(n);
      options.folds = folds;
      Numbers all;
      for (std::size_t fold = 0; fold < folds; ++fold) {
        options.fold = fold;
        const Numbers train = whole_numbers(options, Split::kTrain),
                      test = whole_numbers(options, Split::kTest);
        EXPECT_GE(test.size(), n / folds);
        EXPECT_LE(test.size(), (n + folds - 1) / folds);
        EXPECT_EQ(joined(train, test), test::first_numbers(n));
        EXPECT_TRUE(std::is_sorted(train.begin(), train.end()));
        EXPECT_TRUE(std::is_sorted(test.begin(), test.end()));
        all = joined(std::move(all), test);
      }
      EXPECT_EQ(all, test::first_numbers(n));
    }
  }
}

TEST(Folds, AreOfTheTrainingSamplesThatATestFractionLeaves) {
  DataOptions options = table(50);
  options.test_fraction = 0.2;
  const Numbers left = whole_numbers(options, Split::kTrain);
  options.folds = 4;
  Numbers all;
  for (options.fold = 0; options.fold < 4; ++options.fold) {
    const Numbers test = whole_numbers(options, Split::kTest);
    EXPECT_EQ(test.size(), 10U);
    EXPECT_EQ(joined(whole_numbers(options, Split::kTrain), test), left);
    all = joined(std::move(all), test);
  }
  EXPECT_EQ(all, left);
}

TEST(Folds, DependOnTheSeedOfTheDataAndAreNoTestFraction) {
  DataOptions options = table(100);
  options.test_fraction = 0.2;
  const Numbers fraction = whole_numbers(options, Split::kTest);
  options.test_fraction = 0.0;
  options.folds = 5;
  EXPECT_NE(whole_numbers(options, Split::kTest), fraction);
  options.fold = 3;
  const Numbers test = whole_numbers(options, Split::kTest);
  options.shards = 1;
  options.noise = 0.1;
  EXPECT_EQ(whole_numbers(options, Split::kTest), test);
  options.seed = 2;
  EXPECT_NE(whole_numbers(options, Split::kTest), test);
}

TEST(Folds, RefusesNumbersThatMakeNone) {
  const auto refuse = [](std::size_t folds, std::size_t fold, std::initializer_list<std::string> parts) {
    DataOptions options = table(10);
    options.folds = folds;
    options.fold = fold;
    test::expect_line_with(test::message_of<ConfigError>([&] { open_dataset(options); }), parts);
  };
  refuse(1, 0, {"data.folds is 1", "2 to 10"});
  refuse(11, 0, {"data.folds is 11", "2 to 10", "training samples"});
  refuse(5, 5, {"data.fold is 5", "0 to 4", "data.folds = 5"});
}

// A set of three classes in the plane, of 10, 20 and 70 samples, in turns as they come from a file.
class Stratified : public testing::Test {
 protected:
  Stratified() {
    options_.dataset = "csv";
    options_.file = folder_.path() / "classes.csv";
    options_.stratify = true;
    std::ofstream file(options_.file);
    for (int i = 0; i < 100; ++i) file << i << "," << (i % 10 == 0 ? 0 : i % 10 <= 2 ? 1 : 2) << "\n";
  }
  // Samples of each class in a split.
  std::vector<std::size_t> counts(Split split) const {
    std::vector<std::size_t> counts(3);
    for (const float label : test::load_all(*open_dataset(options_), split).targets)
      ++counts[static_cast<std::size_t>(label)];
    return counts;
  }
  const test::TemporaryFolder folder_;
  DataOptions options_;
};
using Counts = std::vector<std::size_t>;

TEST_F(Stratified, TestSamplesHaveEachClassesShare) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    options_.seed = seed;
    options_.test_fraction = 0.3;
    EXPECT_EQ(counts(Split::kTest), (Counts{3, 6, 21}));
    EXPECT_EQ(counts(Split::kTrain), (Counts{7, 14, 49}));
    options_.test_fraction = 0.25;  // 2.5, 5 and 17.5 samples
    const Counts test = counts(Split::kTest);
    EXPECT_EQ(test[0] + test[1] + test[2], 25U);
    EXPECT_TRUE(test[0] == 2 || test[0] == 3) << test[0];
    EXPECT_EQ(test[1], 5U);
  }
}

TEST_F(Stratified, TestSamplesDependOnTheSeed) {
  options_.test_fraction = 0.3;
  const auto first = test::load_all(*open_dataset(options_), Split::kTest).values;
  EXPECT_EQ(test::load_all(*open_dataset(options_), Split::kTest).values, first);
  options_.seed = 2;
  EXPECT_NE(test::load_all(*open_dataset(options_), Split::kTest).values, first);
}

TEST_F(Stratified, FoldsHaveEachClassesShareAndCoverAll) {
  options_.folds = 3;
  Counts all(3);
  for (options_.fold = 0; options_.fold < 3; ++options_.fold) {
    const Counts test = counts(Split::kTest), train = counts(Split::kTrain);
    for (std::size_t c = 0; c < 3; ++c) {
      const double share = static_cast<double>(Counts{10, 20, 70}[c]) / 3.0;
      EXPECT_LT(std::fabs(static_cast<double>(test[c]) - share), 1.0) << c;
      EXPECT_EQ(test[c] + train[c], (Counts{10, 20, 70}[c]));
      all[c] += test[c];
    }
  }
  EXPECT_EQ(all, (Counts{10, 20, 70}));
}

TEST_F(Stratified, IsRefusedWhereItMakesNoSense) {
  const auto refuse = [&](std::initializer_list<std::string> parts) {
    test::expect_line_with(test::message_of<ConfigError>([&] { open_dataset(options_); }), parts);
  };
  refuse({"data.stratify is true", "expected data.test_fraction or data.folds with it"});
  options_.test_fraction = 0.5;
  options_.task = Task::kRegression;
  refuse({"data.stratify is true", "expected a data set of classes"});
  options_.task = Task::kClassification;
  std::ofstream(options_.file, std::ios::app) << "100,7\n";
  options_.folds = 0;
  options_.test_fraction = 0.5;
  refuse({"data.stratify: class 7 has 1 sample and none is left to train on"});
}

TEST(StratifiedPoints, HaveHalfOfEachClassToTestOn) {
  DataOptions options;
  options.dataset = "gaussian";
  options.n = 100;
  options.test_fraction = 0.5;
  options.stratify = true;
  const auto dataset = open_dataset(options);
  double ones[2] = {}, all[2] = {};
  for (const Split split : {Split::kTrain, Split::kTest})
    for (const float label : test::load_all(*dataset, split).targets) {
      ones[split == Split::kTest] += label;
      ++all[split == Split::kTest];
    }
  EXPECT_LE(std::fabs(ones[0] - ones[1]), 1.0);
  EXPECT_LE(std::fabs((all[0] - ones[0]) - (all[1] - ones[1])), 1.0);
}

TEST(FileRows, AreThoseOfTheUndividedSet) {
  DataOptions options = table(10);
  options.test_fraction = 0.4;
  const auto dataset = open_dataset(options);
  for (const Split split : {Split::kTrain, Split::kTest}) {
    const Numbers expected = whole_numbers(options, split);
    Numbers rows = dataset->file_rows(split, test::first_numbers(dataset->info().samples(split)));
    for (std::uint32_t& row : rows) --row;
    EXPECT_EQ(rows, expected);
  }
}

TEST(FirstSamples, AreTakenAfterTheDivisionAndTheFold) {
  DataOptions options = table(60);
  options.test_fraction = 0.3;
  for (const std::size_t folds : {0, 3}) {
    options.folds = folds;
    options.train_samples = options.test_samples = 0;
    const Numbers train = whole_numbers(options, Split::kTrain), test = whole_numbers(options, Split::kTest);
    options.train_samples = 11;
    options.test_samples = 7;
    EXPECT_EQ(whole_numbers(options, Split::kTrain), Numbers(train.begin(), train.begin() + 11));
    EXPECT_EQ(whole_numbers(options, Split::kTest), Numbers(test.begin(), test.begin() + 7));
    options.train_samples = train.size() + 1;
    test::expect_line_with(test::message_of<ConfigError>([&] { open_dataset(options); }),
                           {"data.train_samples is " + std::to_string(train.size() + 1),
                            "at most " + std::to_string(train.size()), "function"});
  }
}

}  // namespace
}  // namespace lockstep::data
