#include "run/tiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lockstep::run {

Tiles::Tiles(std::size_t count, std::size_t height, std::size_t width)
    : across_(std::max<std::size_t>(
          1, static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(count)))))),
      down_(std::max<std::size_t>(1, (count + across_ - 1) / across_)),
      height_(height),
      width_(width),
      bytes_(3 * this->width() * this->height(), '\xff') {}

void Tiles::paint(std::size_t tile, std::size_t row, std::size_t column,
                  const std::array<std::uint8_t, 3>& rgb) {
  const std::size_t y = tile / across_ * (height_ + 1) + row, x = tile % across_ * (width_ + 1) + column;
  std::copy(rgb.begin(), rgb.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(3 * (y * width() + x)));
}

std::string Tiles::ppm() const { return fmt::format("P6\n{} {}\n255\n", width(), height()) + bytes_; }

}  // namespace lockstep::run
