// What the fuzz targets share. A target is a file NAME_target.cpp that defines LLVMFuzzerTestOneInput, which
// reads the bytes as the program reads a file from outside, and fuzz::seeds, inputs to start from.
//
// The only outcomes that a reader may have are success and a lockstep::Error of one line. Anything else ends
// the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace lockstep::fuzz {

// Good inputs, and bad ones that are too big to be kept as files. Defined by each target.
std::vector<std::string> seeds();

// Runs a reader. True if it succeeded, false where it threw a lockstep::Error whose message is one line of
// printable text; everything else is reported and ends the process.
bool accepts(const std::function<void()>& reader);

// Reports a finding and ends the process.
[[noreturn]] void found(const std::string& what);

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The parts between zero bytes.
std::vector<std::string> parts_of(std::string_view input);
std::string input_of(const std::vector<std::string>& parts);

// A file in memory that readers of paths can open. Its content may be replaced.
class MemoryFile {
 public:
  MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile();
  void write(std::string_view content);
  std::string content() const;
  std::filesystem::path path() const;

 private:
  int fd_;
};

// What `save` writes to the path that it gets.
std::string file_content(const std::function<void(const std::filesystem::path& path)>& save);

}  // namespace lockstep::fuzz
