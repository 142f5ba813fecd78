// The CIFAR reader on made-up files of the real size, good and bad.
#include "data/cifar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRecord = 3073, kFileSize = 10000 * kRecord;
constexpr const char* kFiles[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                  "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};

Cifar open_cifar10(const fs::path& folder) {
  DataOptions options;
  options.dir = folder;
  return Cifar(options);
}

// Overwrites a record of a file. Records that nobody wrote are of zeros.
void write_record(const fs::path& file, std::size_t record, std::uint8_t label, std::uint8_t salt) {
  std::string bytes(kRecord, '\0');
  bytes[0] = static_cast<char>(label);
  for (std::size_t j = 0; j < kRecord - 1; ++j) bytes[j + 1] = static_cast<char>(j * 7 + salt);
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(record * kRecord));
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// The six files, with holes instead of zeros: they take no room on the disk.
class Cifar10Test : public testing::Test {
 protected:
  Cifar10Test() {
    for (const char* name : kFiles) {
      std::ofstream(file(name)).flush();
      fs::resize_file(file(name), kFileSize);
    }
  }
  fs::path file(const std::string& name) const { return folder_.path() / name; }

  const test::TemporaryFolder folder_;
};

TEST_F(Cifar10Test, ReadsTheSamplesAskedForFromTheRightFiles) {
  struct Record {
    std::uint32_t number;
    std::uint8_t label, salt;
  };
  const std::vector<Record> records = {{0, 3, 1},     {255, 9, 2},   {256, 1, 3},   {9999, 2, 4},
                                       {10000, 5, 5}, {29999, 7, 6}, {30000, 8, 7}, {49999, 4, 8}};
  for (const auto& [number, label, salt] : records)
    write_record(file(kFiles[number / 10000]), number % 10000, label, salt);
  std::vector<std::uint32_t> wanted;
  for (const auto& record : records) wanted.push_back(record.number);
  wanted.insert(wanted.begin() + 1, 17);  // of zeros

  const SampleStore store = open_cifar10(folder_.path()).load(Split::kTrain, wanted);
  ASSERT_EQ(store.size(), wanted.size());
  EXPECT_EQ(store.width, 3072U);
  EXPECT_EQ(store.targets[1], 0);
  for (const std::uint8_t pixel : store.pixel_row(1)) ASSERT_EQ(pixel, 0);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::size_t row = i == 0 ? 0 : i + 1;
    EXPECT_EQ(store.targets[row], records[i].label);
    for (std::size_t j = 0; j < 3072; ++j)
      ASSERT_EQ(store.pixel_row(row)[j], static_cast<std::uint8_t>(j * 7 + records[i].salt))
          << "record " << i;
  }
}

TEST_F(Cifar10Test, TheTestSetIsAFileOfItsOwn) {
  write_record(file("test_batch.bin"), 9999, 6, 9);
  const std::uint32_t last[] = {9999};
  const Cifar dataset = open_cifar10(folder_.path());
  EXPECT_EQ(dataset.load(Split::kTest, last).targets[0], 6);
  EXPECT_EQ(dataset.load(Split::kTrain, last).targets[0], 0);
}

TEST_F(Cifar10Test, LoadingNothingGivesNothing) {
  EXPECT_EQ(open_cifar10(folder_.path()).load(Split::kTrain, {}).size(), 0U);
}

TEST_F(Cifar10Test, KnowsItsSizesAndClasses) {
  const DatasetInfo info = open_cifar10(folder_.path()).info();
  EXPECT_EQ(info.features(), 3072U);
  EXPECT_EQ(info.channels, 3U);
  EXPECT_TRUE(info.pixels);
  EXPECT_EQ(info.classes, 10U);
  EXPECT_EQ(info.class_names, (std::vector<std::string>{"airplane", "automobile", "bird", "cat", "deer",
                                                        "dog", "frog", "horse", "ship", "truck"}));
  EXPECT_EQ(info.samples(Split::kTrain), 50000U);
  EXPECT_EQ(info.samples(Split::kTest), 10000U);
}

TEST_F(Cifar10Test, AFileOfTheWrongSizeIsAnErrorWithBothSizes) {
  for (const char* name : kFiles) {
    for (const std::size_t size : {std::size_t{0}, kFileSize - 1, kFileSize + 1, 2 * kFileSize}) {
      fs::resize_file(file(name), size);
      test::expect_line_with(
          test::message_of<DataError>([&] { open_cifar10(folder_.path()); }),
          {file(name).string(), "has " + std::to_string(size) + " bytes", "expected 30730000"});
    }
    fs::resize_file(file(name), kFileSize);
  }
  EXPECT_NO_THROW(open_cifar10(folder_.path()));
}

TEST_F(Cifar10Test, AMissingFileIsAnErrorThatNamesIt) {
  for (const char* name : kFiles) {
    fs::rename(file(name), file("elsewhere"));
    test::expect_line_with(test::message_of<DataError>([&] { open_cifar10(folder_.path()); }),
                           {file(name).string()});
    fs::rename(file("elsewhere"), file(name));
  }
}

TEST_F(Cifar10Test, AMissingFolderIsAnErrorThatSaysWhatToDo) {
  const fs::path missing = folder_.path() / "missing";
  test::expect_line_with(test::message_of<DataError>([&] { open_cifar10(missing); }),
                         {missing.string(), "data.dir", "CIFAR10_DIR"});
}

TEST_F(Cifar10Test, ALabelAboveNineIsAnErrorThatNamesTheRecord) {
  const Cifar dataset = open_cifar10(folder_.path());
  for (const std::uint8_t label : {std::uint8_t{10}, std::uint8_t{255}}) {
    write_record(file("data_batch_2.bin"), 345, label, 0);
    const std::uint32_t wanted[] = {10344, 10345};
    test::expect_line_with(
        test::message_of<DataError>([&] { dataset.load(Split::kTrain, wanted); }),
        {file("data_batch_2.bin").string(), "record 345", "label " + std::to_string(label), "0..9"});
  }
}

TEST_F(Cifar10Test, AFileThatShrinksAfterwardsIsAnErrorThatNamesIt) {
  const Cifar dataset = open_cifar10(folder_.path());
  fs::resize_file(file("data_batch_1.bin"), 300 * kRecord);
  const std::uint32_t wanted[] = {500};
  test::expect_line_with(test::message_of<DataError>([&] { dataset.load(Split::kTrain, wanted); }),
                         {file("data_batch_1.bin").string()});
}

TEST_F(Cifar10Test, TheEnvironmentNamesTheFolderThatTheOptionsLeaveOpen) {
  const char* before = std::getenv("CIFAR10_DIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("CIFAR10_DIR", folder_.path().c_str(), 1);
  EXPECT_NO_THROW(open_cifar10(""));
  const fs::path missing = folder_.path() / "missing";
  ::setenv("CIFAR10_DIR", missing.c_str(), 1);
  test::expect_line_with(test::message_of<DataError>([&] { open_cifar10(""); }), {missing.string()});
  EXPECT_NO_THROW(open_cifar10(folder_.path()));
  if (before != nullptr)
    ::setenv("CIFAR10_DIR", kept.c_str(), 1);
  else
    ::unsetenv("CIFAR10_DIR");
}

// Files of CIFAR-100's size; a record has a coarse label, a fine one and its pixels.
class Cifar100Test : public testing::Test {
 protected:
  static constexpr std::size_t kSize = 3074;
  Cifar100Test() {
    options_.dataset = "cifar100";
    options_.dir = folder_.path();
    for (const auto& [name, records] : {std::pair("train.bin", 50000), std::pair("test.bin", 10000)}) {
      std::ofstream(folder_.path() / name).flush();
      fs::resize_file(folder_.path() / name, records * kSize);
    }
  }
  void write(const char* name, std::size_t record, const std::string& bytes) const {
    std::fstream out(folder_.path() / name, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(record * kSize));
    out << bytes;
  }

  const test::TemporaryFolder folder_;
  DataOptions options_;
};

TEST_F(Cifar100Test, ReadsTheLabelsAskedForAndTheSamePixels) {
  write("train.bin", 49999, std::string("\x13\x63") + "rgb");  // of the classes 19 and 99
  write("test.bin", 7, std::string("\x02\x36") + "x");
  const std::uint32_t last[] = {7, 49999}, seventh[] = {7};
  for (const Labels labels : {Labels::kFine, Labels::kCoarse}) {
    options_.labels = labels;
    const Cifar dataset(options_);
    const SampleStore train = dataset.load(Split::kTrain, last), test = dataset.load(Split::kTest, seventh);
    EXPECT_EQ(train.targets, (std::vector<float>{0, labels == Labels::kFine ? 99.0F : 19.0F}));
    EXPECT_EQ(test.targets, (std::vector<float>{labels == Labels::kFine ? 54.0F : 2.0F}));
    EXPECT_EQ(train.pixel_row(1)[0], 'r');
    EXPECT_EQ(train.pixel_row(1)[2], 'b');
    EXPECT_EQ(train.pixel_row(1)[3], 0);
    EXPECT_EQ(test.pixel_row(0)[0], 'x');
  }
}

TEST_F(Cifar100Test, KnowsItsClasses) {
  DatasetInfo info = Cifar(options_).info();
  EXPECT_EQ(info.classes, 100U);
  EXPECT_EQ(info.class_name(0), "apple");
  EXPECT_EQ(info.class_name(54), "orchid");
  EXPECT_EQ(info.class_name(99), "worm");
  EXPECT_TRUE(std::ranges::is_sorted(info.class_names));
  EXPECT_EQ(info.train_samples, 50000U);
  EXPECT_EQ(info.test_samples, 10000U);
  options_.labels = Labels::kCoarse;
  info = Cifar(options_).info();
  EXPECT_EQ(info.classes, 20U);
  EXPECT_EQ(info.class_name(2), "flowers");
  EXPECT_EQ(info.class_name(19), "vehicles_2");
}

TEST_F(Cifar100Test, WhatIsWrongIsNamed) {
  write("train.bin", 3, "\x14\x64");
  const std::uint32_t third[] = {3};
  test::expect_line_with(test::message_of<DataError>([&] { Cifar(options_).load(Split::kTrain, third); }),
                         {"train.bin: record 3 has label 100, expected 0..99"});
  options_.labels = Labels::kCoarse;
  test::expect_line_with(test::message_of<DataError>([&] { Cifar(options_).load(Split::kTrain, third); }),
                         {"train.bin: record 3 has label 20, expected 0..19"});
  fs::resize_file(folder_.path() / "test.bin", 5);
  test::expect_line_with(test::message_of<DataError>([&] { Cifar dataset(options_); }),
                         {"test.bin: has 5 bytes, expected 30740000 (10000 CIFAR-100 records of 3074)"});
  options_.dir = folder_.path() / "missing";
  test::expect_line_with(
      test::message_of<DataError>([&] { Cifar dataset(options_); }),
      {"missing: no such folder, expected the CIFAR-100 binary files (launch/get-data cifar100"});
}

}  // namespace
}  // namespace lockstep::data
