#include "npz/npz.h"

#include <fmt/format.h>
#include <minizip/unzip.h>
#include <minizip/zip.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace lockstep::npz {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".npy";
constexpr std::size_t kBlock = std::size_t{1} << 20;  // bytes that are read or written at once
constexpr std::size_t kMaxName = 1024;
constexpr std::uint64_t kMaxDeflation = 1032;  // bytes that a byte of a deflated stream can stand for
constexpr unsigned kEncrypted = 1;             // a flag of an entry

template <typename T>
std::string bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// Which some releases of minizip open, and others do not: it begins with the record that ends every zip.
bool is_empty_zip(const fs::path& path) {
  std::array<char, 4> begin{};
  std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
  return std::string_view(begin.data(), begin.size()) == "PK\5\6";
}

}  // namespace

Entry of_floats(std::string name, std::vector<std::size_t> shape, std::span<const float> values) {
  return {std::move(name), "<f4", std::move(shape), bytes_of(values)};
}

Entry of_double(std::string name, double value) {
  return {std::move(name), "<f8", {}, bytes_of(std::span<const double>(&value, 1))};
}

Entry of_integers(std::string name, std::vector<std::size_t> shape, std::span<const std::int64_t> values) {
  return {std::move(name), "<i8", std::move(shape), bytes_of(values)};
}

Entry of_text(std::string name, const std::string& utf8) {
  std::string characters = to_utf32(utf8);
  return {std::move(name), fmt::format("<U{}", characters.size() / 4), {}, std::move(characters)};
}

void write_npz(const fs::path& path, std::span<const Entry> entries) {
  const std::string temporary = fmt::format("{}.tmp{}", path.string(), ::getpid());
  errno = 0;
  const auto fail = [&] {
    const int error = errno == 0 ? EIO : errno;
    ::unlink(temporary.c_str());
    throw std::system_error(error, std::generic_category(), path.string());
  };
  const zipFile zip = ::zipOpen64(temporary.c_str(), APPEND_STATUS_CREATE);
  if (zip == nullptr) fail();
  bool good = true;
  zip_fileinfo info{};
  info.dosDate = 1U << 21 | 1U << 16;  // 1 January 1980: the same bytes today and tomorrow
  const auto write = [&](std::string_view bytes) {
    for (; good && !bytes.empty(); bytes.remove_prefix(std::min(kBlock, bytes.size())))
      good = ::zipWriteInFileInZip(zip, bytes.data(),
                                   static_cast<unsigned>(std::min(kBlock, bytes.size()))) == ZIP_OK;
  };
  for (const Entry& entry : entries) {
    const std::string header = header_of(entry.descr, entry.shape), name = entry.name + std::string(kEnding);
    const bool large = header.size() + entry.bytes.size() > 0xf0000000U;
    constexpr int kStored = 0;
    good = good && ::zipOpenNewFileInZip64(zip, name.c_str(), &info, nullptr, 0, nullptr, 0, nullptr, kStored,
                                           0, large ? 1 : 0) == ZIP_OK;
    write(header);
    write(entry.bytes);
    good = good && ::zipCloseFileInZip(zip) == ZIP_OK;
  }
  good = ::zipClose(zip, nullptr) == ZIP_OK && good;
  if (!good || ::rename(temporary.c_str(), path.c_str()) != 0) fail();
}

struct NpzFile::Zip {
  explicit Zip(const fs::path& path) : file(::unzOpen64(path.c_str())) {}
  Zip(const Zip&) = delete;
  Zip& operator=(const Zip&) = delete;
  ~Zip() {
    if (file != nullptr) ::unzClose(file);
  }

  unzFile file;
  std::vector<unz64_file_pos> places;  // of the arrays
  std::vector<unz_file_info64> infos;  // likewise
};

void NpzFile::fail(const std::string& what) const {
  throw DataError(fmt::format("{}: {}", path_.string(), what));
}

void NpzFile::fail(std::size_t index, const std::string& what) const {
  throw DataError(fmt::format("{}: {} {}", path_.string(), arrays_[index].name, what));
}

NpzFile::NpzFile(const fs::path& path) : path_(path) {
  constexpr const char* kExpected = "expected an .npz file, as numpy.savez writes";
  std::error_code error;
  if (fs::is_directory(path, error)) fail(fmt::format("is a folder, {}", kExpected));
  if (::access(path.c_str(), R_OK) != 0)
    fail(fmt::format("cannot be read: {}", std::generic_category().message(errno)));
  if (is_empty_zip(path)) fail(fmt::format("is an empty zip, {}", kExpected));
  zip_ = std::make_unique<Zip>(path);
  if (zip_->file == nullptr)
    fail(fmt::format("is no zip{}, {}", path.extension() == ".npy" ? " but a single array" : "", kExpected));
  int found = ::unzGoToFirstFile(zip_->file);
  for (; found == UNZ_OK; found = ::unzGoToNextFile(zip_->file)) {
    unz_file_info64 info{};
    char name[kMaxName + 1] = {};
    if (::unzGetCurrentFileInfo64(zip_->file, &info, name, kMaxName, nullptr, 0, nullptr, 0) != UNZ_OK ||
        info.size_filename == 0 || info.size_filename >= kMaxName)
      fail(fmt::format("has an entry that cannot be read, {}", kExpected));
    std::string entry(name, std::min<std::size_t>(info.size_filename, std::strlen(name)));
    if (!entry.ends_with(kEnding)) fail(fmt::format("holds {}, {}", entry, kExpected));
    entry.resize(entry.size() - kEnding.size());
    if (index_of(entry) != arrays_.size()) fail(fmt::format("holds {} twice", entry));
    arrays_.push_back({entry, {}});
    zip_->infos.push_back(info);
    ::unzGetFilePos64(zip_->file, &zip_->places.emplace_back());
    const std::size_t index = arrays_.size() - 1;
    if ((info.flag & kEncrypted) != 0) fail(index, "is encrypted, expected it plain");
    if (::unzOpenCurrentFile(zip_->file) != UNZ_OK) fail(index, "cannot be unpacked");
    std::string begin(kMaxHeader, '\0');
    const int length = ::unzReadCurrentFile(zip_->file, begin.data(), static_cast<unsigned>(begin.size()));
    ::unzCloseCurrentFile(zip_->file);
    if (length < 0) fail(index, "cannot be unpacked");
    begin.resize(static_cast<std::size_t>(length));
    try {
      arrays_.back().type = parse_header(begin);
    } catch (const DataError& bad) {
      fail(index, bad.what());
    }
  }
  if (found != UNZ_END_OF_LIST_OF_FILE)
    fail(fmt::format("is a zip that is cut short or broken, {}", kExpected));
}

NpzFile::NpzFile(NpzFile&&) noexcept = default;
NpzFile::~NpzFile() = default;

std::size_t NpzFile::index_of(const std::string& name) const {
  return static_cast<std::size_t>(std::ranges::find(arrays_, name, &ArrayInfo::name) - arrays_.begin());
}

void NpzFile::read(std::size_t index, const std::function<void(std::string_view)>& take) {
  const ArrayType& type = arrays_[index].type;
  const unz_file_info64& info = zip_->infos[index];
  const std::uint64_t expected = type.header + type.bytes();
  const auto wrong_size = [&](std::uint64_t found) {
    fail(index, fmt::format("has {} bytes, expected {} for its shape {}",
                            found - std::min<std::uint64_t>(found, type.header), type.bytes(),
                            shape_text(type.shape)));
  };
  if (info.uncompressed_size != expected) wrong_size(info.uncompressed_size);
  if (expected / kMaxDeflation > info.compressed_size)
    fail(index, fmt::format("claims {} bytes in {} packed ones, more than these can hold", expected,
                            info.compressed_size));
  if (::unzGoToFilePos64(zip_->file, &zip_->places[index]) != UNZ_OK ||
      ::unzOpenCurrentFile(zip_->file) != UNZ_OK)
    fail(index, "cannot be unpacked");
  std::string piece(kBlock, '\0');
  std::uint64_t found = 0;
  int length = 0;
  do {
    length =
        ::unzReadCurrentFile(zip_->file, piece.data(),
                             static_cast<unsigned>(std::min<std::uint64_t>(kBlock, expected - found + 1)));
    if (length > 0) found += static_cast<std::uint64_t>(length);
    if (length > 0 && found <= expected)
      take(std::string_view(piece).substr(0, static_cast<std::size_t>(length)));
  } while (length > 0 && found <= expected);
  const int closed = ::unzCloseCurrentFile(zip_->file);
  if (length < 0) fail(index, "cannot be unpacked: its bytes are damaged");
  if (found != expected) wrong_size(found);
  if (closed == UNZ_CRCERROR) fail(index, "has another checksum than the zip says: its bytes are damaged");
}

std::string NpzFile::elements(std::size_t index) {
  std::string content;
  read(index, [&](std::string_view piece) { content += piece; });
  return content.substr(arrays_[index].type.header);
}

std::vector<double> NpzFile::values(std::size_t index) {
  const ArrayType& type = arrays_[index].type;
  if (type.kind() == 'U') fail(index, fmt::format("holds text ({}), expected real numbers", type.descr));
  return values_of(type, elements(index));
}

std::string NpzFile::text(std::size_t index) {
  const ArrayType& type = arrays_[index].type;
  if (type.kind() != 'U' || type.count() != 1)
    fail(index, fmt::format("holds {} elements of type {}, expected a text", type.count(), type.descr));
  return text_of(type, elements(index));
}

}  // namespace lockstep::npz
