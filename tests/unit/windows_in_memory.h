// A matrix of windows, element by element as kernels/windows.h defines it.
#pragma once

#include <vector>

#include "kernels/windows.h"

namespace lockstep::test {

inline float element(const kernels::Windows& windows, std::size_t row, std::size_t col) {
  const auto& [data, count, height, width, channels] = windows.images;
  const auto& grid = windows.grid;
  row += windows.first_row;
  const auto signed_of = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
  const auto place = [&](std::size_t window, std::size_t k) {
    return signed_of(window * grid.stride + k) - grid.padding;
  };
  const std::size_t image = row / (grid.rows * grid.cols);
  const std::ptrdiff_t y = place(row / grid.cols % grid.rows, col / channels / grid.size),
                       x = place(row % grid.cols, col / channels % grid.size),
                       spacing = signed_of(grid.spacing);
  const bool inside = y >= 0 && x >= 0 && y % spacing == 0 && x % spacing == 0 &&
                      y / spacing < signed_of(height) && x / spacing < signed_of(width);
  if (!inside) return 0.0F;
  const auto pixel = (image * height + static_cast<std::size_t>(y / spacing)) * width +
                     static_cast<std::size_t>(x / spacing);
  return data[pixel * channels + col % channels];
}

inline std::vector<float> in_memory(const kernels::Windows& windows) {
  std::vector<float> matrix;
  for (std::size_t row = 0; row < windows.rows; ++row)
    for (std::size_t col = 0; col < windows.cols; ++col) matrix.push_back(element(windows, row, col));
  return matrix;
}

}  // namespace lockstep::test
