#include "data/image_file.h"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/error.h"

namespace lockstep::data {
namespace {

constexpr std::size_t kMaxSide = 1 << 15;
constexpr std::size_t kMaxPixels = std::size_t{1} << 26;

// Rows of pixels, the channels of a pixel side by side.
struct Raster {
  std::size_t channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> bytes = {};
};

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw DataError(fmt::format("{}: {}", name, what));
}

// Throws DataError unless an image of this size is wanted; before room is made for it.
void check_size(const Raster& raster, const std::string& name, const std::optional<ImageSize>& expected) {
  if (raster.height == 0 || raster.width == 0 || raster.height > kMaxSide || raster.width > kMaxSide ||
      raster.height * raster.width > kMaxPixels)
    refuse(name, fmt::format("is an image of {} x {} pixels, expected 1 to {} of them", raster.height,
                             raster.width, kMaxPixels));
  if (!expected) return;
  if (raster.height != expected->height || raster.width != expected->width)
    refuse(name, fmt::format("is an image of {} x {} pixels, expected {} x {}", raster.height, raster.width,
                             expected->height, expected->width));
  if (raster.channels > expected->channels)
    refuse(name, fmt::format("is in colour, expected grey: data.image = [3, {}, {}] takes both",
                             expected->height, expected->width));
}

// What libpng's callbacks are given. A call of libpng that fails comes back to the last setjmp, so functions
// with such a call keep nothing that has a destructor.
struct PngReader {
  std::string_view left;  // to be read
  char problem[128] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;

  ~PngReader() { ::png_destroy_read_struct(&png, &info, nullptr); }
};

extern "C" {
void png_failed(png_structp png, png_const_charp problem) {
  auto& reader = *static_cast<PngReader*>(::png_get_error_ptr(png));
  std::snprintf(reader.problem, sizeof reader.problem, "%s", problem);
  ::png_longjmp(png, 1);
}
void png_warned(png_structp, png_const_charp) {}
void png_wants(png_structp png, png_bytep to, std::size_t count) {
  auto& reader = *static_cast<PngReader*>(::png_get_io_ptr(png));
  if (count > reader.left.size()) ::png_error(png, "the file ends before");
  std::memcpy(to, reader.left.data(), count);
  reader.left.remove_prefix(count);
}
}

// Reads what comes before the pixels. False where libpng fails.
bool read_png_header(PngReader& reader) {
  reader.png = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, png_failed, png_warned);
  if (reader.png == nullptr) return false;
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  reader.info = ::png_create_info_struct(reader.png);
  ::png_set_read_fn(reader.png, &reader, png_wants);
  ::png_set_user_limits(reader.png, kMaxSide, kMaxSide);
  ::png_read_info(reader.png, reader.info);
  if (::png_get_bit_depth(reader.png, reader.info) == 16) ::png_error(reader.png, "16 bits a channel");
  ::png_set_expand(reader.png);  // to 8 bits, palettes to colours
  ::png_set_strip_alpha(reader.png);
  ::png_set_interlace_handling(reader.png);
  ::png_read_update_info(reader.png, reader.info);
  return true;
}

// rows: the address of each. False where libpng fails.
bool read_png_pixels(PngReader& reader, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  ::png_read_image(reader.png, rows);
  ::png_read_end(reader.png, nullptr);
  return true;
}

Raster decode_png(std::string_view content, const std::string& name,
                  const std::optional<ImageSize>& expected) {
  PngReader reader{.left = content};
  const auto expect = [&](bool good) {
    if (!good)
      refuse(name,
             fmt::format("is a PNG file that cannot be read ({}), expected a whole one with 8 bits a channel",
                         reader.problem));
  };
  expect(read_png_header(reader));
  Raster raster{.channels = ::png_get_channels(reader.png, reader.info),
                .height = ::png_get_image_height(reader.png, reader.info),
                .width = ::png_get_image_width(reader.png, reader.info)};
  check_size(raster, name, expected);
  const std::size_t row = ::png_get_rowbytes(reader.png, reader.info);
  require(row == raster.width * raster.channels, "decode_png: rows of another width");
  raster.bytes.resize(raster.height * row);
  std::vector<png_bytep> rows;
  for (std::size_t y = 0; y < raster.height; ++y) rows.push_back(raster.bytes.data() + y * row);
  expect(read_png_pixels(reader, rows.data()));
  return raster;
}

// The next number of a PGM's or PPM's header, behind white space and comments. Source: netpbm's pgm(5),
// ppm(5).
std::optional<std::size_t> next_number(std::string_view& left) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  while (true) {
    left.remove_prefix(std::min(left.find_first_not_of(kSpace), left.size()));
    if (!left.starts_with('#')) break;
    left.remove_prefix(std::min(left.find_first_of("\r\n"), left.size()));
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(left.data(), left.data() + left.size(), number);
  if (error != std::errc()) return std::nullopt;
  left.remove_prefix(static_cast<std::size_t>(end - left.data()));
  return number;
}

Raster decode_netpbm(std::string_view content, const std::string& name,
                     const std::optional<ImageSize>& expected) {
  Raster raster{.channels = content[1] == '5' ? std::size_t{1} : std::size_t{3}};
  std::string_view left = content.substr(2);
  const auto width = next_number(left), height = next_number(left), largest = next_number(left);
  if (!width || !height || !largest || left.empty())
    refuse(name,
           fmt::format("is a P{} file whose header cannot be read, expected its width, its height and 255",
                       content[1]));
  if (*largest != 255) refuse(name, fmt::format("has values up to {}, expected 255", *largest));
  left.remove_prefix(1);  // a single white space
  raster.height = *height;
  raster.width = *width;
  check_size(raster, name, expected);
  const std::size_t bytes = raster.channels * raster.height * raster.width;
  if (left.size() != bytes)
    refuse(name, fmt::format("has {} bytes of pixels, expected {} for {} x {} of {}", left.size(), bytes,
                             raster.height, raster.width, raster.channels));
  raster.bytes.assign(left.begin(), left.end());
  return raster;
}

}  // namespace

DecodedImage decode_image(std::string_view content, const std::string& name,
                          const std::optional<ImageSize>& expected) {
  constexpr std::string_view kPng("\x89PNG\r\n\x1a\n");
  Raster raster;
  if (content.starts_with(kPng))
    raster = decode_png(content, name, expected);
  else if (content.starts_with("P5") || content.starts_with("P6"))
    raster = decode_netpbm(content, name, expected);
  else
    refuse(name, "is not a PNG image, nor a PGM or PPM one in binary (P5, P6), expected one of these");
  const std::size_t pixels = raster.height * raster.width;
  DecodedImage image{{expected ? expected->channels : raster.channels, raster.height, raster.width}, {}};
  image.pixels.resize(image.size.channels * pixels);
  for (std::size_t c = 0; c < image.size.channels; ++c) {
    const std::size_t from = std::min(c, raster.channels - 1);  // grey: of the one there is
    for (std::size_t i = 0; i < pixels; ++i)
      image.pixels[c * pixels + i] = raster.bytes[i * raster.channels + from];
  }
  return image;
}

}  // namespace lockstep::data
