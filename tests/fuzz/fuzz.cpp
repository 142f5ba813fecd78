#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

namespace lockstep::fuzz {

void found(const std::string& what) {
  std::fprintf(stderr, "FOUND: %s\n", what.c_str());
  std::abort();
}

bool accepts(const std::function<void()>& reader) {
  try {
    reader();
    return true;
  } catch (const Error& error) {
    const std::string message = error.what();
    const auto unprintable = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
    if (message.empty() || std::ranges::any_of(message, unprintable))
      found("an error whose message is not one printable line: " + message);
  } catch (const std::exception& error) {
    found(std::string("an exception that is not a lockstep::Error: ") + error.what());
  }
  return false;
}

std::vector<std::string> parts_of(std::string_view input) {
  std::vector<std::string> parts;
  while (true) {
    const auto zero = input.find('\0');
    parts.emplace_back(input.substr(0, zero));
    if (zero == std::string_view::npos) return parts;
    input.remove_prefix(zero + 1);
  }
}

std::string input_of(const std::vector<std::string>& parts) {
  std::string input = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) input.append(1, '\0').append(parts[i]);
  return input;
}

MemoryFile::MemoryFile() : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
}

MemoryFile::~MemoryFile() { ::close(fd_); }

void MemoryFile::write(std::string_view content) {
  if (::ftruncate(fd_, 0) != 0) throw std::system_error(errno, std::generic_category(), "ftruncate");
  for (std::size_t at = 0; at < content.size();) {
    const ssize_t n = ::pwrite(fd_, content.data() + at, content.size() - at, static_cast<off_t>(at));
    if (n < 0) throw std::system_error(errno, std::generic_category(), "pwrite");
    at += static_cast<std::size_t>(n);
  }
}

std::string MemoryFile::content() const { return read_file(path()); }

std::filesystem::path MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

std::string file_content(const std::function<void(const std::filesystem::path& path)>& save) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("lockstep-fuzz-" + std::to_string(::getpid()) + ".safetensors");
  save(path);
  std::string content = read_file(path);
  std::filesystem::remove(path);
  return content;
}

}  // namespace lockstep::fuzz
