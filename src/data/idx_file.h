// One file in the IDX format, plain or gzipped: two zero bytes, the type of its elements (8: bytes), the
// number of dimensions, their sizes as big-endian 32-bit integers, then the elements, the last index running
// fastest. Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", its web page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct gzFile_s;  // of zlib

namespace lockstep::data {

class IdxFile {
 public:
  // Opens the file and reads its header. kind: what its elements are, "images" say, for messages.
  // Throws DataError, which names the file, what was found and what was expected, where it cannot be read or
  // is no such file of bytes with so many dimensions, none of them 0.
  IdxFile(std::filesystem::path path, std::size_t dimensions, std::string kind);

  // The sizes: how many items there are, then those of an item.
  const std::vector<std::size_t>& sizes() const { return sizes_; }
  std::size_t item_bytes() const { return item_bytes_; }

  // The next item. Throws DataError where the file ends before, or its gzip stream is damaged.
  void read(std::span<std::uint8_t> item);
  // Passes over the next items.
  void skip(std::size_t items);
  // Throws DataError unless all items are read and nothing follows them.
  void expect_end();

 private:
  struct Closer {
    void operator()(gzFile_s* file) const;
  };
  // As many bytes as there are, up to those asked for.
  std::size_t read_some(std::span<std::uint8_t> bytes);
  [[noreturn]] void fail(const std::string& what) const;

  std::filesystem::path path_;
  std::string kind_;
  std::unique_ptr<gzFile_s, Closer> file_;
  std::vector<std::size_t> sizes_;
  std::size_t item_bytes_ = 1;
  std::size_t items_read_ = 0;
};

}  // namespace lockstep::data
