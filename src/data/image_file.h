// An image in a file of its own: PNG with 8 bits or fewer a channel, or binary PGM or PPM with 8 bits. These
// keep every pixel as it is, so that each reader of them sees the same bytes; decoders of JPEG differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace lockstep::data {

struct DecodedImage {
  ImageSize size = {};
  std::vector<std::uint8_t> pixels;  // (channels, height, width); 1 channel: grey, 3: red, green, blue
};

// The image that a file's content is. Colours of a PNG are taken as they are (no gAMA, no ICC profile), a
// palette's entries become colours, and transparency is left out. Where `expected` is given, the image has
// its size, and a grey one the same value in each of its channels. Throws DataError, which names the file
// `name`, what was found and what was expected.
DecodedImage decode_image(std::string_view content, const std::string& name,
                          const std::optional<ImageSize>& expected = std::nullopt);

}  // namespace lockstep::data
