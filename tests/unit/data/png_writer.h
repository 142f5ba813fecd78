// PNG files for tests of the reader, of every kind that PNG has.
#pragma once

#include <png.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::test {

struct PngKind {
  int colour = PNG_COLOR_TYPE_GRAY;
  int bits = 8;
  int interlace = PNG_INTERLACE_NONE;
};

// rows: as many as the image is high, packed as the kind says. A palette has the colours (i, 2 i, 3 i).
inline std::string png_of(const PngKind& kind, std::size_t width, std::vector<std::string> rows) {
  std::string file;
  png_structp png = ::png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = ::png_create_info_struct(png);
  const auto append = [](png_structp to, png_bytep bytes, std::size_t count) {
    static_cast<std::string*>(::png_get_io_ptr(to))->append(reinterpret_cast<const char*>(bytes), count);
  };
  ::png_set_write_fn(png, &file, append, [](png_structp) {});
  ::png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(rows.size()), kind.bits,
                 kind.colour, kind.interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (kind.colour == PNG_COLOR_TYPE_PALETTE) {
    std::vector<png_color> palette;
    for (int i = 0; i < 1 << kind.bits; ++i)
      palette.push_back(
          {static_cast<png_byte>(i), static_cast<png_byte>(2 * i), static_cast<png_byte>(3 * i)});
    ::png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  ::png_set_gAMA(png, info, 1.0);  // which the reader is not to apply
  ::png_write_info(png, info);
  std::vector<png_bytep> addresses;
  for (std::string& row : rows) addresses.push_back(reinterpret_cast<png_bytep>(row.data()));
  ::png_write_image(png, addresses.data());
  ::png_write_end(png, info);
  ::png_destroy_write_struct(&png, &info);
  return file;
}

}  // namespace lockstep::test
