// PNG, PGM and PPM images: every kind that is taken gives the bytes that it holds, others are refused.
#include "data/image_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/png_writer.h"
#include "support.h"

namespace lockstep::data {
namespace {

using Pixels = std::vector<std::uint8_t>;
using test::png_of;

void expect_image(const std::string& content, std::size_t channels, std::size_t height, std::size_t width,
                  const Pixels& pixels) {
  const DecodedImage image = decode_image(content, "a.png");
  EXPECT_EQ(image.size.channels, channels);
  EXPECT_EQ(image.size.height, height);
  EXPECT_EQ(image.size.width, width);
  EXPECT_EQ(image.pixels, pixels);
}

void refuses(const std::string& content, std::initializer_list<std::string> parts,
             const std::optional<ImageSize>& expected = std::nullopt) {
  test::expect_line_with(test::message_of<DataError>([&] { decode_image(content, "a.png", expected); }),
                         parts);
}

TEST(ImageFile, GreyAndColourKeepEachByte) {
  for (const int interlace : {PNG_INTERLACE_NONE, PNG_INTERLACE_ADAM7}) {
    expect_image(png_of({PNG_COLOR_TYPE_GRAY, 8, interlace}, 3, {"abc", "def"}), 1, 2, 3,
                 {'a', 'b', 'c', 'd', 'e', 'f'});
    expect_image(png_of({PNG_COLOR_TYPE_RGB, 8, interlace}, 2, {"rgbRGB", "xyzXYZ"}), 3, 2, 2,
                 {'r', 'R', 'x', 'X', 'g', 'G', 'y', 'Y', 'b', 'B', 'z', 'Z'});
  }
  expect_image("P5\n# a comment\n3 2 255\nabcdef", 1, 2, 3, {'a', 'b', 'c', 'd', 'e', 'f'});
  expect_image("P6 1 2 255\nrgbRGB", 3, 2, 1, {'r', 'R', 'g', 'G', 'b', 'B'});
  expect_image("P5 1 1 255\n#", 1, 1, 1, {'#'});  // a pixel, not a comment
}

TEST(ImageFile, FewerBitsAndPalettesBecomeBytes) {
  expect_image(png_of({PNG_COLOR_TYPE_GRAY, 1}, 8, {"\xa5"}), 1, 1, 8, {255, 0, 255, 0, 0, 255, 0, 255});
  expect_image(png_of({PNG_COLOR_TYPE_GRAY, 4}, 2, {"\x1f"}), 1, 1, 2, {17, 255});
  expect_image(png_of({PNG_COLOR_TYPE_PALETTE, 4}, 2, {"\x2b"}), 3, 1, 2, {2, 11, 4, 22, 6, 33});
}

TEST(ImageFile, TransparencyIsLeftOut) {
  expect_image(png_of({PNG_COLOR_TYPE_GRAY_ALPHA}, 2, {std::string("a\0b\x7f", 4)}), 1, 1, 2, {'a', 'b'});
  expect_image(png_of({PNG_COLOR_TYPE_RGB_ALPHA}, 1, {std::string("rgb\0", 4)}), 3, 1, 1, {'r', 'g', 'b'});
}

TEST(ImageFile, GreyFillsTheChannelsThatAreExpected) {
  const ImageSize colour{3, 1, 2}, grey{1, 1, 2};
  EXPECT_EQ(decode_image("P5 2 1 255\nab", "a.pgm", colour).pixels, (Pixels{'a', 'b', 'a', 'b', 'a', 'b'}));
  EXPECT_EQ(decode_image("P5 2 1 255\nab", "a.pgm", grey).pixels, (Pixels{'a', 'b'}));
  refuses("P6 2 1 255\nrgbRGB", {"a.png: is in colour, expected grey: data.image = [3, 1, 2] takes both"},
          grey);
  refuses("P6 1 2 255\nrgbRGB", {"a.png: is an image of 2 x 1 pixels, expected 1 x 2"}, colour);
  refuses(png_of({}, 3, {"abc"}), {"a.png: is an image of 1 x 3 pixels, expected 1 x 2"}, colour);
}

TEST(ImageFile, WhatItDoesNotReadItRefuses) {
  refuses("", {"a.png: is not a PNG image, nor a PGM or PPM one in binary (P5, P6)"});
  refuses("\xff\xd8\xff\xe0 a JPEG", {"is not a PNG image"});
  refuses("P2 1 1 255\n7", {"is not a PNG image"});
  refuses(png_of({PNG_COLOR_TYPE_GRAY, 16}, 1, {"ab"}),
          {"a PNG file that cannot be read (16 bits a channel)"});
  refuses("P5 1 1 65535\nab", {"has values up to 65535, expected 255"});
  refuses("P5 one", {"is a P5 file whose header cannot be read"});
  refuses("P5 3 2 255\nabcde", {"has 5 bytes of pixels, expected 6 for 2 x 3 of 1"});
  refuses("P6 1 1 255\nabcd", {"has 4 bytes of pixels, expected 3"});
  refuses("P5 0 2 255\n", {"is an image of 2 x 0 pixels"});
  refuses("P5 30000 30000 255\n", {"is an image of 30000 x 30000 pixels"});
  refuses("P5 99999999999999999999 1 255\n", {"header cannot be read"});
}

TEST(ImageFile, APngFileThatIsDamagedAnywhereIsRefused) {
  const std::string whole = png_of({PNG_COLOR_TYPE_RGB}, 2, {"rgbRGB", "xyzXYZ"});
  for (std::size_t length = 8; length < whole.size(); length += 5)
    refuses(whole.substr(0, length), {"a.png: is a PNG file that cannot be read ("});
  std::string damaged = whole;
  damaged[whole.find("IDAT") + 6] ^= 1;
  refuses(damaged, {"a.png: is a PNG file that cannot be read ("});
}

}  // namespace
}  // namespace lockstep::data
