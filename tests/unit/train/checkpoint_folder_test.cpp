// The folder of checkpoints: which files it keeps, what it does with those of killed runs, and where it
// cannot write.
#include "train/checkpoint_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "file_size_limit.h"
#include "train/small_checkpoint.h"

namespace lockstep::train {
namespace {

namespace fs = std::filesystem;
using test::small_checkpoint;
using test::small_tensors;
using Names = std::vector<std::string>;

std::string name_of(std::size_t step) {
  const std::string digits = std::to_string(step);
  return "step-" + std::string(9 - std::min<std::size_t>(9, digits.size()), '0') + digits + ".safetensors";
}

class CheckpointFolderTest : public testing::Test {
 protected:
  // Writes checkpoints of these steps, the last of them to the end; none may fail.
  void write(CheckpointFolder& folder, std::initializer_list<std::size_t> steps, bool best = false) const {
    for (const std::size_t step : steps)
      EXPECT_EQ(folder.write(small_checkpoint(true, true, step), best), "");
    EXPECT_EQ(folder.wait(), "");
  }
  Names names() const {
    Names found;
    for (const auto& entry : fs::directory_iterator(path_)) found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }
  Checkpoint read(const fs::path& file) const {
    return parse_checkpoint(read_file(file), file.string(), small_tensors());
  }

  const test::TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "deep" / "checkpoints";
};

TEST_F(CheckpointFolderTest, KeepsTheNewest) {
  for (const std::size_t keep : {1, 2, 3}) {
    CheckpointFolder folder(path_, small_tensors(), keep);
    CheckpointFolder::clear(path_);
    write(folder, {5, 10, 15, 20});
    Names expected;
    for (std::size_t i = 0; i < keep; ++i) expected.insert(expected.begin(), name_of(20 - 5 * i));
    EXPECT_EQ(names(), expected);
    EXPECT_EQ(folder.file_of(20), path_ / name_of(20));
    test::expect_same_checkpoint(read(folder.file_of(20)), small_checkpoint(true, true, 20));
  }
}

TEST_F(CheckpointFolderTest, KeepsTheNewestWhereStepsHaveMoreDigits) {
  CheckpointFolder folder(path_, small_tensors(), 2);
  write(folder, {999'999'998, 999'999'999, 1'000'000'000, 20'000'000'000});
  EXPECT_EQ(names(), (Names{"step-1000000000.safetensors", "step-20000000000.safetensors"}));
  EXPECT_EQ(find_latest(path_).path.filename(), "step-20000000000.safetensors");
}

TEST_F(CheckpointFolderTest, KeepsTheBestWhenItIsNoLongerAmongTheNewest) {
  CheckpointFolder folder(path_, small_tensors(), 1);
  write(folder, {1});
  write(folder, {2}, true);
  write(folder, {3, 4});
  EXPECT_EQ(names(), (Names{"best.safetensors", name_of(4)}));
  test::expect_same_checkpoint(read(path_ / "best.safetensors"), small_checkpoint(true, true, 2));
  write(folder, {5}, true);
  write(folder, {6});
  test::expect_same_checkpoint(read(path_ / "best.safetensors"), small_checkpoint(true, true, 5));
}

TEST_F(CheckpointFolderTest, WritesTheSameStepAgain) {
  CheckpointFolder folder(path_, small_tensors(), 2);
  write(folder, {7}, true);
  Checkpoint other = small_checkpoint(true, true, 8);
  other.training.step = 7;
  EXPECT_EQ(folder.write(other, false), "");
  EXPECT_EQ(folder.wait(), "");
  test::expect_same_checkpoint(read(folder.file_of(7)), other);
  test::expect_same_checkpoint(read(path_ / "best.safetensors"), small_checkpoint(true, true, 7));
}

TEST_F(CheckpointFolderTest, RemovesWhatKilledWritersLeftAndNothingElse) {
  fs::create_directories(path_);
  for (const char* name : {"step-000000005.safetensors.tmp4711", "best.safetensors.tmp",
                           "step-000000004.safetensors", "best.safetensors", "notes.txt"})
    write_file_atomically(path_ / name, std::string("text"));
  CheckpointFolder folder(path_, small_tensors(), 3);
  EXPECT_EQ(names(), (Names{"best.safetensors", "notes.txt", "step-000000004.safetensors"}));
  CheckpointFolder::clear(path_);
  EXPECT_EQ(names(), Names{"notes.txt"});
}

TEST_F(CheckpointFolderTest, ReportsAFolderThatIsGoneAndGoesOnWhenItIsBack) {
  CheckpointFolder folder(path_, small_tensors(), 3);
  write(folder, {1});
  fs::remove_all(path_);
  EXPECT_EQ(folder.write(small_checkpoint(true, true, 2), true), "");
  const std::string problem = folder.write(small_checkpoint(true, true, 3), false);
  test::expect_line_with(problem, {name_of(2), "cannot be written", "No such file"});
  test::expect_line_with(folder.wait(), {name_of(3), "cannot be written"});
  EXPECT_EQ(folder.wait(), "");  // each is reported once
  EXPECT_FALSE(fs::exists(path_));
  fs::create_directories(path_);
  write(folder, {4});
  EXPECT_EQ(names(), Names{name_of(4)});
}

TEST_F(CheckpointFolderTest, AFullDiskLeavesTheFilesBefore) {
  CheckpointFolder folder(path_, small_tensors(), 1);
  write(folder, {1}, true);
  {
    const test::FileSizeLimit limit(500);
    EXPECT_EQ(folder.write(small_checkpoint(true, true, 2), true), "");
    test::expect_line_with(folder.wait(), {name_of(2), "cannot be written", "File too large"});
  }
  EXPECT_EQ(names(), (Names{"best.safetensors", name_of(1)}));
  for (const char* name : {"best.safetensors", "step-000000001.safetensors"})
    test::expect_same_checkpoint(read(path_ / name), small_checkpoint(true, true, 1));
}

TEST_F(CheckpointFolderTest, ForgetsLaterStepsWhateverTheirFilesHold) {
  CheckpointFolder folder(path_, small_tensors(), 9);
  write(folder, {9, 10}, true);
  write(folder, {11, 1'000'000'000});
  write_file_atomically(folder.file_of(12), std::string("broken"));
  folder.forget_after(10);
  EXPECT_EQ(names(), (Names{"best.safetensors", name_of(9), name_of(10)}));
}

TEST_F(CheckpointFolderTest, WaitsForItsWriterAtTheEnd) {
  { CheckpointFolder(path_, small_tensors(), 3).write(small_checkpoint(true, true, 9), true); }
  EXPECT_EQ(names(), (Names{"best.safetensors", name_of(9)}));
}

TEST_F(CheckpointFolderTest, FailsWhereItCannotBeMade) {
  write_file_atomically(folder_.path() / "deep", std::string("a file"));
  EXPECT_THROW(CheckpointFolder(path_, small_tensors(), 3), std::system_error);
}

TEST_F(CheckpointFolderTest, TheLatestIsTheNewestWholeOne) {
  CheckpointFolder folder(path_, small_tensors(), 5);
  write(folder, {9, 10, 11, 12});
  EXPECT_EQ(find_latest(path_).path, folder.file_of(12));
  EXPECT_TRUE(find_latest(path_).skipped.empty());

  const std::string whole = read_file(folder.file_of(12));
  write_file_atomically(folder.file_of(12), whole.substr(0, whole.size() / 2));
  write_file_atomically(folder.file_of(11), std::string());
  fs::create_directories(path_ / name_of(13));
  const FoundCheckpoint found = find_latest(path_);
  EXPECT_EQ(found.path, folder.file_of(10));
  EXPECT_EQ(found.content, read_file(folder.file_of(10)));
  ASSERT_EQ(found.skipped.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i)
    test::expect_line_with(found.skipped[i], {folder.file_of(13 - i).string() + ": "});
}

TEST_F(CheckpointFolderTest, TheLatestIsNotTheBestNorATemporaryFile) {
  CheckpointFolder folder(path_, small_tensors(), 5);
  write(folder, {3}, true);
  fs::rename(folder.file_of(3), path_ / "step-000000004.safetensors.tmp12");
  test::expect_line_with(test::message_of<ModelError>([&] { find_latest(path_); }),
                         {path_.string(), "no checkpoint"});
}

TEST_F(CheckpointFolderTest, WithoutAWholeOneTheNewestIsNamed) {
  for (const fs::path& nowhere : {path_, folder_.path()})
    test::expect_line_with(test::message_of<ModelError>([&] { find_latest(nowhere); }),
                           {nowhere.string(), "no checkpoint"});
  CheckpointFolder folder(path_, small_tensors(), 5);
  for (const std::size_t step : {1, 2}) write_file_atomically(folder.file_of(step), std::string("text"));
  test::expect_line_with(test::message_of<ModelError>([&] { find_latest(path_); }),
                         {path_.string(), "no whole checkpoint", name_of(2)});
}

}  // namespace
}  // namespace lockstep::train
