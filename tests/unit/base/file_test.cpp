#include "base/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <system_error>
#include <vector>

#include "file_size_limit.h"
#include "support.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using test::FileSizeLimit;
using test::TemporaryFolder;

TEST(WriteFileAtomically, WritesAndReplaces) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "file";
  write_file_atomically(file, std::string("a long first content"));
  EXPECT_EQ(read_file(file), "a long first content");
  write_file_atomically(file, std::string("second"));
  EXPECT_EQ(read_file(file), "second");
  write_file_atomically(file, std::string());
  EXPECT_EQ(read_file(file), "");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"file"});
}

TEST(WriteFileAtomically, JoinsItsParts) {
  const TemporaryFolder folder;
  const std::string a = "one", b, c(100000, '\0'), d = "four";
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(a)), std::as_bytes(std::span(b)),
                                              std::as_bytes(std::span(c)), std::as_bytes(std::span(d))};
  write_file_atomically(folder.path() / "file", parts);
  EXPECT_EQ(read_file(folder.path() / "file"), a + b + c + d);
}

TEST(WriteFileAtomically, WritesIntoTheCurrentFolder) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file_atomically("file", std::string("content"));
  fs::current_path(before);
  EXPECT_EQ(read_file(folder.path() / "file"), "content");
}

TEST(WriteFileAtomically, LeavesTheOldContentAndNothingElseWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "file";
  write_file_atomically(file, std::string("old"));
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message =
        test::message_of<std::system_error>([&] { write_file_atomically(file, std::string(5000, 'x')); });
  }
  test::expect_line_with(message, {file.string()});
  EXPECT_EQ(read_file(file), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"file"});
}

TEST(WriteFileAtomically, LeavesNothingWhenTheNameIsTaken) {
  const TemporaryFolder folder;
  const fs::path taken = folder.path() / "taken";
  fs::create_directories(taken / "inner");
  const auto message =
      test::message_of<std::system_error>([&] { write_file_atomically(taken, std::string("text")); });
  test::expect_line_with(message, {taken.string()});
  EXPECT_EQ(folder.names(), std::vector<std::string>{"taken"});
}

TEST(WriteFileAtomically, NamesThePathWhenTheFolderIsMissing) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "missing" / "file";
  test::expect_line_with(
      test::message_of<std::system_error>([&] { write_file_atomically(file, std::string("text")); }),
      {file.string()});
  EXPECT_TRUE(folder.names().empty());
}

TEST(ReadFile, ReadsEveryByteOfALargeFile) {
  const TemporaryFolder folder;
  std::string text(300001, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 3);
  write_file_atomically(folder.path() / "file", text);
  EXPECT_EQ(read_file(folder.path() / "file"), text);
}

TEST(ReadFile, NamesThePathThatItCannotRead) {
  const TemporaryFolder folder;
  for (const fs::path& path : {folder.path() / "missing", folder.path()})
    test::expect_line_with(test::message_of<std::system_error>([&] { read_file(path); }), {path.string()});
}

// What another process meets: 0, or the code of the error that is thrown.
int error_of_another_process(const fs::path& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 0;
    try {
      const FileLock lock(path, "the other");
    } catch (const std::system_error& error) {
      code = error.code().value();
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(FileLock, IsHeldByOneProcessAtATime) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "lock";
  constexpr int kTaken = static_cast<int>(std::errc::resource_unavailable_try_again);
  {
    const FileLock lock(path, "process 1 on host");
    EXPECT_EQ(error_of_another_process(path), kTaken);
    EXPECT_EQ(read_file(path), "process 1 on host");  // the other one has left it alone
    EXPECT_THROW(FileLock(path, "this process again"), std::system_error);
  }
  EXPECT_EQ(error_of_another_process(path), 0);
  EXPECT_EQ(read_file(path), "the other");
  const FileLock lock(path, "new");  // the other process is done
  EXPECT_EQ(read_file(path), "new");
}

TEST(FileLock, IsFreeAfterItsProcessWasKilled) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(path, "killed");
    const char byte = 'r';
    if (::write(ready[1], &byte, 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THROW(FileLock(path, "this process"), std::system_error);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(FileLock(path, "this process"));
  for (const int fd : ready) ::close(fd);
}

TEST(FileLock, MovesWithItsFile) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "lock";
  {
    FileLock first(path, "x");
    const FileLock second(std::move(first));
    EXPECT_NE(error_of_another_process(path), 0);
  }
  EXPECT_EQ(error_of_another_process(path), 0);
}

TEST(FileLock, NamesThePathThatItCannotMake) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "missing" / "lock";
  test::expect_line_with(test::message_of<std::system_error>([&] { FileLock(path, ""); }), {path.string()});
}

}  // namespace
}  // namespace lockstep
