// Files as whole byte strings.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace lockstep {

// Replaces the file's content so that a reader, or a machine that loses power, sees the old content or the
// new, never a part: temporary file in the same folder, sync, rename. Throws std::system_error naming the
// path.
void write_file_atomically(const std::filesystem::path& path,
                           std::span<const std::span<const std::byte>> parts);
void write_file_atomically(const std::filesystem::path& path, const std::string& text);

// The whole file. Throws std::system_error naming the path.
std::string read_file(const std::filesystem::path& path);

// A file that text is added to. Move-only.
class GrowingFile {
 public:
  enum class Before { kGoes, kStays };  // what the file holds so far
  // Makes the file if there is none. Throws std::system_error naming the path.
  GrowingFile(const std::filesystem::path& path, Before before);
  GrowingFile(GrowingFile&& other) noexcept;
  GrowingFile& operator=(GrowingFile&& other) = delete;
  ~GrowingFile();

  // Adds all of the text, or throws std::system_error and leaves the file as it was.
  void append(const std::string& text);

 private:
  std::filesystem::path path_;
  int fd_;
};

// A file that one process at a time can hold; it is free again when that process ends, however it ends.
// Move-only.
class FileLock {
 public:
  // Makes the file if there is none; its content becomes `owner`. Throws std::system_error, of
  // std::errc::resource_unavailable_try_again where another process holds it.
  FileLock(const std::filesystem::path& path, const std::string& owner);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) = delete;
  ~FileLock();

 private:
  int fd_;
};

}  // namespace lockstep
