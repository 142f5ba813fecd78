// .npz files of NumPy: a zip of .npy files, an array each. numpy.load reads what is written here, without
// pickle; what numpy.savez and numpy.savez_compressed write is read here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "npz/npy.h"

namespace lockstep::npz {

// An array to be written.
struct Entry {
  std::string name;
  std::string descr;
  std::vector<std::size_t> shape;
  std::string bytes;
};

Entry of_floats(std::string name, std::vector<std::size_t> shape, std::span<const float> values);
Entry of_double(std::string name, double value);
Entry of_integers(std::string name, std::vector<std::size_t> shape, std::span<const std::int64_t> values);
Entry of_text(std::string name, const std::string& utf8);

// Replaces the file, which another reader sees as it was or whole. The same arrays give the same bytes.
// Throws std::system_error.
void write_npz(const std::filesystem::path& path, std::span<const Entry> entries);

// An array of a file that is read.
struct ArrayInfo {
  std::string name;
  ArrayType type;
};

// A file that is open: the headers of its arrays are read, the elements on demand. Move-only.
class NpzFile {
 public:
  // Throws DataError, which names the file, where it cannot be read, is no zip of .npy files or names an
  // array twice; and what parse_header throws, with the array's name.
  explicit NpzFile(const std::filesystem::path& path);
  NpzFile(NpzFile&&) noexcept;
  ~NpzFile();

  const std::vector<ArrayInfo>& arrays() const { return arrays_; }
  // Where arrays() has it; arrays().size() where it has not.
  std::size_t index_of(const std::string& name) const;

  // The elements of arrays()[index] in C order. Takes no more memory than they do, whatever the zip claims.
  // Throws DataError where they are text, where there are more or fewer than the shape says, or their
  // checksum is wrong.
  std::vector<double> values(std::size_t index);
  // Of an array of a single text. Throws DataError likewise.
  std::string text(std::size_t index);

  // Calls take with the bytes of the array's file, its header and then its elements, piece after piece.
  // Throws DataError, perhaps after some pieces, where there are more or fewer than the shape says, or their
  // checksum is wrong.
  void read(std::size_t index, const std::function<void(std::string_view piece)>& take);

 private:
  struct Zip;
  // All of an array's elements.
  std::string elements(std::size_t index);
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(std::size_t index, const std::string& what) const;

  std::filesystem::path path_;
  std::unique_ptr<Zip> zip_;
  std::vector<ArrayInfo> arrays_;
};

}  // namespace lockstep::npz
