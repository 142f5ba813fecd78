#include "report/tensorboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"

namespace lockstep::report {
namespace {

namespace fs = std::filesystem;

// TensorBoard reads files whose names have "tfevents" in them, in the order of their names.
constexpr std::string_view kBegin = "events.out.tfevents.", kEnd = ".lockstep";

// Numbers of the fields that are written.
struct EventField {
  static constexpr unsigned kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
};
constexpr unsigned kSummaryValue = 1, kSessionStatus = 1, kSessionStart = 1;
struct ValueField {
  static constexpr unsigned kTag = 1, kSimpleValue = 2, kImage = 4;
};
struct ImageField {
  static constexpr unsigned kHeight = 1, kWidth = 2, kColorspace = 3, kEncoded = 4;
};
constexpr std::uint64_t kRgb = 3;

template <typename T>
std::string little_endian(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>(value >> 8 * i);
  return bytes;
}

template <typename T>
T from_little_endian(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// A checksum of data that may hold checksums themselves: turned by 15 bits, plus a constant.
std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8U; }

// Length (8 bytes), its checksum (4), content, its checksum (4).
std::string record_of(const std::string& content) {
  const std::string length = little_endian(std::uint64_t{content.size()});
  return length + little_endian(masked_crc(length)) + content + little_endian(masked_crc(content));
}

// The step of an event that was written here: its second field, after the 9 bytes of the time; 0 where there
// is none.
std::uint64_t step_of(std::string_view event) {
  constexpr std::size_t kTag = 9;
  std::uint64_t step = 0;
  if (event.size() <= kTag || event[kTag] != EventField::kStep << 3) return 0;
  for (std::size_t i = kTag + 1, shift = 0; i < event.size() && shift < 64; ++i, shift += 7) {
    step |= static_cast<std::uint64_t>(event[i] & 0x7f) << shift;
    if ((event[i] & 0x80) == 0) break;
  }
  return step;
}

// How many bytes of a file are whole records of steps up to `last`.
std::size_t kept_bytes(std::string_view file, std::size_t last) {
  constexpr std::size_t kHead = 12, kTail = 4;
  std::size_t kept = 0;
  while (file.size() - kept >= kHead + kTail) {
    const std::string_view rest = file.substr(kept), head = rest.substr(0, 8);
    if (from_little_endian<std::uint32_t>(rest.substr(8)) != masked_crc(head)) break;
    const auto size = from_little_endian<std::uint64_t>(head);
    if (size > rest.size() - kHead - kTail) break;
    const std::string_view content = rest.substr(kHead, size);
    if (from_little_endian<std::uint32_t>(rest.substr(kHead + size)) != masked_crc(content)) break;
    if (step_of(content) > last) break;
    kept += kHead + size + kTail;
  }
  return kept;
}

std::string name_of(std::size_t step) { return fmt::format("{}{:010}{}", kBegin, step, kEnd); }

bool is_event_file(const std::string& name) { return name.starts_with(kBegin) && name.ends_with(kEnd); }

// Takes away from a folder what is of steps after this one, and returns the path of its file.
fs::path make_room(const fs::path& folder, std::size_t step) {
  const fs::path path = folder / name_of(step);
  try {
    for (const fs::path& file : TensorBoardFile::files(folder)) {
      const std::size_t bytes =
          file.filename() < path.filename() ? kept_bytes(read_file(file), step) : std::size_t{0};
      if (bytes == 0)
        fs::remove(file);
      else
        fs::resize_file(file, bytes);
    }
  } catch (const std::system_error& error) {
    throw ConfigError(fmt::format("{}: cannot be written: {}", path.string(), error.code().message()));
  }
  return path;
}

ProtobufMessage event_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  ProtobufMessage event;
  event.number(EventField::kWallTime, std::chrono::duration<double>(now).count());
  return event;
}

ProtobufMessage event_of(std::size_t step, const ProtobufMessage& value) {
  return event_now()
      .integer(EventField::kStep, step)
      .message(EventField::kSummary, ProtobufMessage().message(kSummaryValue, value));
}

}  // namespace

TensorBoardFile::TensorBoardFile(const fs::path& folder, std::size_t step)
    : file_(make_room(folder, step), "", "") {
  add(event_now().text(EventField::kFileVersion, "brain.Event:2"));
  // From the second start on TensorBoard forgets what it has read of the start's step and later ones.
  add(event_now()
          .integer(EventField::kStep, step + 1)
          .message(EventField::kSessionLog, ProtobufMessage().integer(kSessionStatus, kSessionStart)));
  flush();
}

std::vector<fs::path> TensorBoardFile::files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (is_event_file(entry.path().filename().string())) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

void TensorBoardFile::scalar(std::size_t step, const std::string& tag, double value) {
  add(event_of(step, ProtobufMessage()
                         .text(ValueField::kTag, tag)
                         .number(ValueField::kSimpleValue, static_cast<float>(value))));
}

void TensorBoardFile::image(std::size_t step, const std::string& tag, std::size_t width, std::size_t height,
                            const std::string& png) {
  add(event_of(step, ProtobufMessage()
                         .text(ValueField::kTag, tag)
                         .message(ValueField::kImage, ProtobufMessage()
                                                          .integer(ImageField::kHeight, height)
                                                          .integer(ImageField::kWidth, width)
                                                          .integer(ImageField::kColorspace, kRgb)
                                                          .text(ImageField::kEncoded, png))));
}

void TensorBoardFile::add(const ProtobufMessage& event) { file_.add(record_of(event.content())); }

}  // namespace lockstep::report
