// Event files for TensorBoard: which records stay where a run goes on. tests/program/logs_test.py reads what
// is in them.
#include "report/tensorboard.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "file_size_limit.h"
#include "report/png.h"
#include "support.h"

namespace lockstep::report {
namespace {

namespace fs = std::filesystem;

class TensorBoardTest : public testing::Test {
 protected:
  fs::path file(std::size_t step) const {
    return folder_.path() /
           ("events.out.tfevents." + std::string(9, '0') + std::to_string(step) + ".lockstep");
  }
  // A file that begins after so many steps has a curve's points at the steps after it. The file's size after
  // each of them; first, that without any.
  std::vector<std::uintmax_t> write(std::size_t begin, std::initializer_list<std::size_t> steps) const {
    TensorBoardFile written(folder_.path(), begin);
    std::vector<std::uintmax_t> sizes = {fs::file_size(file(begin))};
    for (const std::size_t step : steps) {
      written.scalar(step, "loss", 0.5);
      written.flush();
      sizes.push_back(fs::file_size(file(begin)));
    }
    return sizes;
  }

  const test::TemporaryFolder folder_;
};

TEST_F(TensorBoardTest, BeginsWithTheVersionOfItsFormat) {
  write(0, {});
  const std::string text = read_file(file(0));
  const auto version = text.find("brain.Event:2");
  ASSERT_NE(version, std::string::npos);
  EXPECT_EQ(version, 12 + 9 + 2U);  // after the record's head, the time, and the text's tag and length
  EXPECT_EQ(text.substr(0, 8), std::string("\x18\0\0\0\0\0\0\0", 8));
}

TEST_F(TensorBoardTest, ARunThatGoesOnCutsLaterStepsOff) {
  const auto sizes = write(0, {1, 2, 300});
  write(2, {3});
  EXPECT_EQ(fs::file_size(file(0)), sizes[2]);
  EXPECT_EQ(TensorBoardFile::files(folder_.path()), (std::vector{file(0), file(2)}));
}

TEST_F(TensorBoardTest, ARunThatGoesOnFromEarlierTakesLaterFilesAway) {
  const auto first = write(0, {1, 2}), second = write(2, {3, 4});
  write(3, {4});
  EXPECT_EQ(fs::file_size(file(2)), second[1]);
  write(1, {});
  EXPECT_EQ(fs::file_size(file(0)), first[1]);
  EXPECT_EQ(TensorBoardFile::files(folder_.path()), (std::vector{file(0), file(1)}));
  write(0, {});
  EXPECT_EQ(TensorBoardFile::files(folder_.path()), (std::vector{file(0)}));
}

// Wherever a kill, or a disk that was full, has cut a file; and where bytes of it are others.
TEST_F(TensorBoardTest, ARunThatGoesOnKeepsWholeRecordsAlone) {
  const auto sizes = write(0, {1, 2});
  const std::string whole = read_file(file(0));
  for (std::uintmax_t size = sizes[1]; size < sizes[2]; ++size) {
    write_file_atomically(file(0), whole.substr(0, size));
    write(9, {});
    EXPECT_EQ(fs::file_size(file(0)), sizes[1]) << size;
  }
  for (std::uintmax_t at = sizes[1]; at < sizes[2]; ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x40);
    write_file_atomically(file(0), broken);
    write(9, {});
    EXPECT_EQ(fs::file_size(file(0)), sizes[1]) << at;
  }
}

TEST_F(TensorBoardTest, FilesOfOthersStay) {
  const fs::path other = folder_.path() / "events.out.tfevents.1700000000.host.1.0";
  write_file_atomically(other, "theirs");
  write(0, {1});
  EXPECT_EQ(read_file(other), "theirs");
}

TEST_F(TensorBoardTest, WhatCouldNotBeWrittenIsWrittenLater) {
  TensorBoardFile written(folder_.path(), 0);
  const auto before = fs::file_size(file(0));
  written.scalar(1, "loss", 0.5);
  {
    const test::FileSizeLimit limit(before + 10);
    EXPECT_THROW(written.flush(), ConfigError);
    EXPECT_EQ(fs::file_size(file(0)), before);
  }
  written.flush();
  EXPECT_GT(fs::file_size(file(0)), before + 10);
}

TEST(Png, RefusesAnotherNumberOfPixels) { EXPECT_THROW(png(2, 2, "123"), ShapeError); }

}  // namespace
}  // namespace lockstep::report
