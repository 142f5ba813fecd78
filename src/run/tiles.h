// Small images as tiles of one, as a binary PPM: in rows of the square root of their number, with a white
// line between them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace lockstep::run {

class Tiles {
 public:
  // All white. Without any tile it is an image of one.
  Tiles(std::size_t count, std::size_t height, std::size_t width);

  void paint(std::size_t tile, std::size_t row, std::size_t column, const std::array<std::uint8_t, 3>& rgb);

  std::string ppm() const;

  // The whole image, in pixels.
  std::size_t width() const { return across_ * (width_ + 1) - 1; }
  std::size_t height() const { return down_ * (height_ + 1) - 1; }
  const std::string& pixels() const { return bytes_; }  // (height, width, 3)

 private:
  std::size_t across_, down_, height_, width_;
  std::string bytes_;
};

}  // namespace lockstep::run
