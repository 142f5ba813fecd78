#include "report/png.h"

#include <algorithm>
#include <cstdint>

#include "base/crc32.h"
#include "base/error.h"

namespace lockstep::report {
namespace {

using namespace std::string_literals;

std::string big_endian(std::size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string chunk(const std::string& type, const std::string& content) {
  const std::string checked = type + content;
  return big_endian(content.size()) + checked + big_endian(crc32(Crc32::kIeee, checked));
}

// A zlib stream (RFC 1950) of stored blocks (RFC 1951, section 3.2.4).
std::string stored(const std::string& bytes) {
  constexpr std::size_t kMaxBlock = 65535;
  std::string stream = "\x78\x01";
  std::size_t at = 0;
  do {
    const std::size_t size = std::min(kMaxBlock, bytes.size() - at);
    stream += at + size == bytes.size() ? '\x01' : '\x00';
    for (const std::size_t half : {size, ~size})
      stream.append({static_cast<char>(half), static_cast<char>(half >> 8)});
    stream.append(bytes, at, size);
    at += size;
  } while (at < bytes.size());
  std::uint32_t a = 1, b = 0;  // Adler-32
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return stream + big_endian(b << 16 | a);
}

}  // namespace

std::string png(std::size_t width, std::size_t height, std::string_view pixels) {
  if (pixels.size() != 3 * width * height) throw ShapeError("png: as many pixels as the image has");
  std::string rows;
  for (std::size_t y = 0; y < height; ++y)
    rows.append(1, '\0').append(pixels.substr(3 * width * y, 3 * width));  // 0: a row is not filtered
  // 8 bits a sample, colour type 2 (red, green, blue); compression, filter and interlace methods 0.
  return "\x89PNG\r\n\x1a\n"s + chunk("IHDR", big_endian(width) + big_endian(height) + "\x08\x02\0\0\0"s) +
         chunk("IDAT", stored(rows)) + chunk("IEND", "");
}

}  // namespace lockstep::report
