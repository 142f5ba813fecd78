// Samples as images.
#pragma once

#include <cstddef>

#include "kernels/gemm.h"

namespace lockstep::nn {

// Between layers images lie pixel by pixel (NHWC): channel c of pixel (y, x) is element (y * width + x) *
// channels + c of a row. Data sets and files have them channel by channel (NCHW); Pixels, see
// pixels.h, turns one into the other.
struct ImageShape {
  std::size_t channels = 0, height = 0, width = 0;
  std::size_t pixels() const { return height * width; }
  std::size_t size() const { return channels * pixels(); }
};

// A batch of images (B, size) as the matrix of their pixels, (B * pixels, channels).
template <typename T>
kernels::BasicMatrix<T> by_pixel(kernels::BasicMatrix<T> images, const ImageShape& shape) {
  return {images.data, images.rows * shape.pixels(), shape.channels};
}

}  // namespace lockstep::nn
