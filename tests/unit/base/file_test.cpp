#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <system_error>
#include <vector>

#include "support.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

// While it lives, no file of this process may grow past `bytes`: a write fails as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("setrlimit failed");
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

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

}  // namespace
}  // namespace lockstep
