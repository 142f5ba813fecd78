#include "data/idx_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace lockstep::data {
namespace {

constexpr std::uint8_t kBytes = 8;          // the type of elements
constexpr std::size_t kMaxItem = 1U << 24;  // bytes
constexpr unsigned kBuffer = 1U << 17;      // of zlib

}  // namespace

void IdxFile::Closer::operator()(gzFile_s* file) const { ::gzclose(file); }

void IdxFile::fail(const std::string& what) const {
  throw DataError(fmt::format("{}: {}", path_.string(), what));
}

std::size_t IdxFile::read_some(std::span<std::uint8_t> bytes) {
  errno = 0;
  const int found = ::gzread(file_.get(), bytes.data(), static_cast<unsigned>(bytes.size()));
  int code = Z_OK;
  const char* const problem = ::gzerror(file_.get(), &code);
  if (code == Z_ERRNO) fail(fmt::format("cannot be read: {}", std::strerror(errno)));
  if (found < 0) fail(fmt::format("its gzip stream is damaged ({}), expected the {}", problem, kind_));
  return static_cast<std::size_t>(found);
}

IdxFile::IdxFile(std::filesystem::path path, std::size_t dimensions, std::string kind)
    : path_(std::move(path)), kind_(std::move(kind)) {
  std::error_code error;
  if (std::filesystem::is_directory(path_, error)) fail(fmt::format("is a folder, expected the {}", kind_));
  errno = 0;
  file_.reset(::gzopen(path_.c_str(), "rb"));
  if (!file_) fail(fmt::format("cannot be read: {}", std::strerror(errno == 0 ? ENOMEM : errno)));
  ::gzbuffer(file_.get(), kBuffer);
  std::vector<std::uint8_t> header(4 * (1 + dimensions));
  const std::size_t found = read_some(header);
  if (found >= 4 && (header[0] != 0 || header[1] != 0 || header[2] != kBytes || header[3] != dimensions))
    fail(fmt::format("begins with {:02x}, expected 0000{:02x}{:02x}: {} in the IDX format",
                     fmt::join(header.begin(), header.begin() + 4, ""), kBytes, dimensions, kind_));
  if (found != header.size())
    fail(fmt::format("ends within its header, expected {} in the IDX format", kind_));
  for (std::size_t d = 1; d <= dimensions; ++d) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | header[4 * d + i];
    sizes_.push_back(size);
    if (size == 0)
      fail(fmt::format("has the sizes {}, expected none of them to be 0", fmt::join(sizes_, " x ")));
    if (d > 1 && (item_bytes_ *= size) > kMaxItem)
      fail(fmt::format("has items of {} bytes, expected at most {}",
                       fmt::join(sizes_.begin() + 1, sizes_.end(), " x "), kMaxItem));
  }
}

void IdxFile::read(std::span<std::uint8_t> item) {
  require(item.size() == item_bytes_, "IdxFile: an item has another size");
  if (read_some(item) != item.size())
    fail(fmt::format("ends after {} of {} {}", items_read_, sizes_[0], kind_));
  ++items_read_;
}

void IdxFile::skip(std::size_t items) {
  std::vector<std::uint8_t> item(items == 0 ? 0 : item_bytes_);
  for (; items > 0; --items) read(item);
}

void IdxFile::expect_end() {
  std::uint8_t more = 0;
  if (items_read_ != sizes_[0] || read_some({&more, 1}) != 0)
    fail(fmt::format("goes on behind its {} {}, expected it to end there", sizes_[0], kind_));
}

}  // namespace lockstep::data
