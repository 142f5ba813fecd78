#include "npz/array_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace lockstep::npz {
namespace {

namespace fs = std::filesystem;

// Bytes of one row.
std::size_t row_bytes(const ArrayType& type) {
  std::size_t bytes = type.item_size();
  for (std::size_t d = 1; d < type.shape.size(); ++d) bytes *= type.shape[d];
  return bytes;
}

// Of an array in C order that comes piece by piece, header first: keeps some rows.
class RowPicker {
 public:
  RowPicker(const ArrayType& type, std::span<const std::uint32_t> rows)
      : rows_(rows), header_(type.header), row_(row_bytes(type)) {}

  void take(std::string_view piece) {
    const std::size_t begin = seen_, end = seen_ += piece.size();
    for (; next_ < rows_.size(); ++next_) {
      const std::size_t first = header_ + rows_[next_] * row_, last = first + row_;
      if (first >= end) return;
      const std::size_t from = std::max(first, begin);
      picked_ += piece.substr(from - begin, std::min(last, end) - from);
      if (last > end) return;
    }
  }
  std::string picked() { return std::move(picked_); }

 private:
  std::span<const std::uint32_t> rows_;
  std::size_t header_, row_, seen_ = 0, next_ = 0;
  std::string picked_;
};

// Of a whole array in Fortran order.
std::string rows_of_columns(const ArrayType& type, std::string_view elements,
                            std::span<const std::uint32_t> rows) {
  const std::size_t item = type.item_size(), dimensions = type.shape.size();
  std::vector<std::size_t> steps(dimensions, 1);  // from an index to the next, in elements
  for (std::size_t d = 1; d < dimensions; ++d) steps[d] = steps[d - 1] * type.shape[d - 1];
  const std::size_t width = row_bytes(type) / item;
  std::string picked;
  for (const std::uint32_t row : rows) {
    std::vector<std::size_t> index(dimensions);
    for (std::size_t j = 0; j < width; ++j) {
      std::size_t at = row;
      for (std::size_t d = 1; d < dimensions; ++d) at += index[d] * steps[d];
      picked += elements.substr(at * item, item);
      for (std::size_t d = dimensions - 1; d > 0 && ++index[d] == type.shape[d]; --d) index[d] = 0;
    }
  }
  return picked;
}

ArrayInfo npy_info(const fs::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::string begin(kMaxHeader, '\0');
  in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  if (in.bad() || !(in || in.eof()))
    throw DataError(fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno)));
  begin.resize(static_cast<std::size_t>(in.gcount()));
  try {
    return {file.stem().string(), parse_header(begin)};
  } catch (const DataError& bad) {
    throw DataError(fmt::format("{}: {}", file.string(), bad.what()));
  }
}

}  // namespace

std::vector<fs::path> npy_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".npy" && !entry->path().filename().string().starts_with('.'))
      files.push_back(entry->path());
  if (error) throw DataError(fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

ArrayRows::ArrayRows(const fs::path& path) : path_(path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    zip_.emplace(path);
    arrays_ = zip_->arrays();
    return;
  }
  files_ = npy_files(path);
  if (files_.empty())
    throw DataError(
        fmt::format("{}: has no .npy files, expected a folder with some, or an .npz file", path.string()));
  for (const fs::path& file : files_) arrays_.push_back(npy_info(file));
}

std::size_t ArrayRows::index_of(const std::string& name) const {
  return static_cast<std::size_t>(std::ranges::find(arrays_, name, &ArrayInfo::name) - arrays_.begin());
}

std::string ArrayRows::list() const {
  constexpr std::size_t kShown = 10;
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, arrays_.size()); ++i)
    list += fmt::format("{}{} {} {}", i == 0 ? "" : ", ", arrays_[i].name, shape_text(arrays_[i].type.shape),
                        arrays_[i].type.descr);
  return arrays_.size() > kShown ? list + ", ..." : list;
}

void ArrayRows::read(std::size_t index, const std::function<void(std::string_view)>& take) {
  if (zip_) return zip_->read(index, take);
  const ArrayType& type = arrays_[index].type;
  errno = 0;
  std::ifstream in(files_[index], std::ios::binary);
  std::string piece(std::size_t{1} << 20, '\0');
  std::size_t found = 0;
  const std::size_t expected = type.header + type.bytes();
  while (in && found <= expected) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto length = static_cast<std::size_t>(in.gcount());
    found += length;
    take(std::string_view(piece).substr(0, length));
  }
  if (in.bad() || (!in && !in.eof()))
    throw DataError(fmt::format("{}: cannot be read: {}", files_[index].string(), std::strerror(errno)));
  if (found != expected)
    throw DataError(fmt::format("{}: has {} {} bytes, expected {} for its shape {}", files_[index].string(),
                                found < expected ? "only" : "more than", std::min(found, expected), expected,
                                shape_text(type.shape)));
}

std::string ArrayRows::rows(std::size_t index, std::span<const std::uint32_t> rows) {
  const ArrayType& type = arrays_[index].type;
  require(!type.shape.empty() && (rows.empty() || rows.back() < type.shape[0]), "ArrayRows: no such row");
  if (type.fortran_order && type.shape.size() > 1) {
    std::string content;
    read(index, [&](std::string_view piece) { content += piece; });
    return rows_of_columns(type, std::string_view(content).substr(type.header), rows);
  }
  RowPicker picker(type, rows);
  read(index, [&](std::string_view piece) { picker.take(piece); });
  return picker.picked();
}

}  // namespace lockstep::npz
