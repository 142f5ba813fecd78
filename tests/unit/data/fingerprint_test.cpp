// A fingerprint tells data sets apart, and nothing else: not how their samples are spread over ranks.
#include "data/fingerprint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/error.h"
#include "data/cifar.h"
#include "data/csv_files.h"
#include "data/points.h"
#include "data/simulated_ranks.h"
#include "support.h"

namespace lockstep::data {
namespace {

class FingerprintTest : public test::CsvFiles {
 protected:
  static Fingerprint of(const Dataset& dataset) {
    const DatasetInfo info = dataset.info();
    const auto sum = [&](Split split) {
      return hash_samples(test::load_all(dataset, split), test::first_numbers(info.samples(split)));
    };
    return fingerprint(info, sum(Split::kTrain), sum(Split::kTest), {});
  }
  std::string of_text(const std::string& text) const { return of(read(text)).train; }
};

TEST_F(FingerprintTest, IsSixteenDigitsOfEachSplitThatHasSamples) {
  const Fingerprint print = of(read("1,2,0\n3,4,1\n"));
  EXPECT_EQ(print.train.size(), 16U);
  EXPECT_EQ(print.train.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(print.test, "");
  EXPECT_EQ(of(read("1,2,0\n3,4,1\n")), print);
}

TEST_F(FingerprintTest, ChangesWithEveryFeatureLabelNameAndPlace) {
  const std::string text = "x,y,label\n1,2,a\n3,4,b\n5,6,a\n", print = of_text(text);
  for (const char* other :
       {"x,y,label\n1,2.0000000000000004,a\n3,4,b\n5,6,a\n", "x,y,label\n1,2,b\n3,4,b\n5,6,a\n",
        "x,y,label\n3,4,b\n1,2,a\n5,6,a\n", "x,z,label\n1,2,a\n3,4,b\n5,6,a\n",
        "x,y,label\n1,2,a\n3,4,c\n5,6,a\n", "x,y,label\n1,2,a\n3,4,b\n"})
    EXPECT_NE(of_text(other), print) << other;
}

// Of each split by itself, whoever holds which samples, in whatever order.
TEST_F(FingerprintTest, DoesNotDependOnTheSpreadOverRanks) {
  DataOptions options;
  options.dataset = "synthetic";
  options.train_samples = 40;
  options.test_samples = 9;
  const auto dataset = open_dataset(options);
  const DatasetInfo info = dataset->info();
  const Fingerprint alone = of(*dataset);
  for (const std::size_t ranks : {1, 2, 3, 8}) {
    test::Meeting meeting(ranks);
    std::vector<Fingerprint> prints(ranks);
    std::vector<std::jthread> threads;
    for (std::size_t r = 0; r < ranks; ++r)
      threads.emplace_back([&, r] {
        const auto sum = [&](Split split) {
          std::vector<std::uint32_t> sample_ids;
          for (std::uint32_t i = 0; i < info.samples(split); ++i)
            if (i % ranks == r) sample_ids.push_back(i);
          return hash_samples(dataset->load(split, sample_ids), sample_ids);
        };
        prints[r] = fingerprint(info, sum(Split::kTrain), sum(Split::kTest), meeting.callbacks());
      });
    threads.clear();
    for (const Fingerprint& print : prints) EXPECT_EQ(print, alone) << ranks << " ranks";
  }
}

TEST_F(FingerprintTest, OfFilesIsThatOfTheirContent) {
  const auto hash = [&](const std::string& text) { return read(text).files().at(0).hash; };
  EXPECT_EQ(hash("1,2,0\n3,4,1\n"), hash("1,2,0\n3,4,1\n"));
  EXPECT_NE(hash("1,2,0\n3,4,1\n"), hash("1,2,0\n3,5,1\n"));
  DataOptions options = options_for(write("1,2,0\n3,4,1\n"));
  options.test_file = write("1,2,0\n", "test.csv");
  const auto files = open_dataset(options)->files();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[1].path, options.test_file);
}

// Each rank reads its own images: what can be compared are records that all look at.
TEST_F(FingerprintTest, OfImagesSeesEvery500thRecord) {
  const auto name = [](int f) {
    return f == 5 ? "test_batch.bin" : "data_batch_" + std::to_string(f + 1) + ".bin";
  };
  for (int f = 0; f < 6; ++f) std::filesystem::resize_file(write("", name(f)), 30730000);
  DataOptions options;
  options.dir = folder_.path();
  const auto hashes = [&] { return Cifar(options).files(); };
  const auto before = hashes();
  ASSERT_EQ(before.size(), 6U);
  EXPECT_EQ(before[5].path.filename(), "test_batch.bin");
  const auto change = [&](int f, std::size_t record) {
    std::fstream file(folder_.path() / name(f), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(record * 3073 + 7));
    file.put('x');
  };
  change(2, 501);
  EXPECT_EQ(hashes()[2].hash, before[2].hash);
  change(2, 9500);
  EXPECT_NE(hashes()[2].hash, before[2].hash);
  EXPECT_EQ(hashes()[1].hash, before[1].hash);
}

}  // namespace
}  // namespace lockstep::data
