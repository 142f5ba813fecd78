// Rows of arrays, some at a time, that lie in an .npz file or in a folder of .npy files: however large an
// array is, no more of it is in memory than what is asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "npz/npz.h"

namespace lockstep::npz {

class ArrayRows {
 public:
  // path: an .npz file, or a folder, whose .npy files are arrays with their names. Throws DataError, which
  // names the file, where it cannot be read or an array is none of those that parse_header takes.
  explicit ArrayRows(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::vector<ArrayInfo>& arrays() const { return arrays_; }
  // Where arrays() has it; arrays().size() where it has not.
  std::size_t index_of(const std::string& name) const;
  // "x_train (60000, 28, 28) |u1, y_train (60000,) <i8": the arrays, or the first of many.
  std::string list() const;

  // The elements of these rows (first indices, strictly ascending) of arrays()[index], one row after the
  // other, each in C order. An array in Fortran order is in memory as a whole meanwhile. Throws DataError
  // where the file has more or fewer bytes than its shape says, or is damaged.
  std::string rows(std::size_t index, std::span<const std::uint32_t> rows);

 private:
  void read(std::size_t index, const std::function<void(std::string_view piece)>& take);

  std::filesystem::path path_;
  std::optional<NpzFile> zip_;                // or
  std::vector<std::filesystem::path> files_;  // of the arrays
  std::vector<ArrayInfo> arrays_;
};

// The .npy files of a folder, by name.
std::vector<std::filesystem::path> npy_files(const std::filesystem::path& folder);

}  // namespace lockstep::npz
