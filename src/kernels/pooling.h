// Pooling of images, channel by channel.
//
// Images lie pixel by pixel (windows.h). Windows of window_height x window_width pixels are `stride` apart,
// all of them inside the image; pixels beyond the last whole window are left out, as in PyTorch.
#pragma once

#include <cstddef>
#include <span>

namespace lockstep::kernels {

struct PoolShape {
  std::size_t height, width, channels;  // of an image
  std::size_t window_height, window_width, stride;
  std::size_t rows() const { return (height - window_height) / stride + 1; }
  std::size_t cols() const { return (width - window_width) / stride + 1; }
  std::size_t inputs() const { return height * width * channels; }
  std::size_t outputs() const { return rows() * cols() * channels; }
};

// y (B, outputs) = the largest of each window of x (B, inputs). NaN where there is one.
void max_pool(const PoolShape& shape, std::span<const float> x, std::span<float> y, int threads);

// Overwrites dx (B, inputs): dy (B, outputs) goes to the first pixel of each window, row by row, that is the
// largest. x and y are max_pool's.
void max_pool_backward(const PoolShape& shape, std::span<const float> x, std::span<const float> y,
                       std::span<const float> dy, std::span<float> dx, int threads);

// y (B, outputs) = the mean of each window, its pixels added row by row.
void average_pool(const PoolShape& shape, std::span<const float> x, std::span<float> y, int threads);

// Overwrites dx (B, inputs): its share of dy goes to each pixel of a window.
void average_pool_backward(const PoolShape& shape, std::span<const float> dy, std::span<float> dx,
                           int threads);

}  // namespace lockstep::kernels
