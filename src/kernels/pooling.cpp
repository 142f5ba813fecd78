#include "kernels/pooling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::kernels {
namespace {

LOCKSTEP_CLONES void take_larger(const float* x, std::size_t n, float* y) {
  for (std::size_t c = 0; c < n; ++c) y[c] = x[c] > y[c] || x[c] != x[c] ? x[c] : y[c];
}

// dx += dy, once per channel: where x is y and no pixel before it was.
LOCKSTEP_CLONES void give_to_largest(const float* x, const float* y, const float* dy, std::size_t n,
                                     float* left, float* dx) {
  for (std::size_t c = 0; c < n; ++c) {
    const bool here = x[c] == y[c] && left[c] != 0.0F;
    dx[c] += here ? dy[c] : 0.0F;
    left[c] = here ? 0.0F : left[c];
  }
}

LOCKSTEP_CLONES void add_to(const float* x, std::size_t n, float* y) {
  for (std::size_t c = 0; c < n; ++c) y[c] += x[c];
}

LOCKSTEP_CLONES void scale(float factor, std::size_t n, float* y) {
  for (std::size_t c = 0; c < n; ++c) y[c] *= factor;
}

LOCKSTEP_CLONES void add_scaled(float factor, const float* x, std::size_t n, float* y) {
  for (std::size_t c = 0; c < n; ++c) y[c] += factor * x[c];
}

// visit(output, pixel, first): for every window of the images, where its output lies, and each of its pixels,
// row by row; `first` for the first of these.
template <typename Visit>
void for_windows(const PoolShape& shape, std::size_t image, Visit&& visit) {
  const std::size_t rows = shape.rows(), cols = shape.cols(), channels = shape.channels;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t col = 0; col < cols; ++col) {
      const std::size_t output = image * shape.outputs() + (row * cols + col) * channels;
      for (std::size_t ky = 0; ky < shape.window_height; ++ky)
        for (std::size_t kx = 0; kx < shape.window_width; ++kx) {
          const std::size_t y = row * shape.stride + ky, x = col * shape.stride + kx;
          visit(output, image * shape.inputs() + (y * shape.width + x) * channels, ky + kx == 0);
        }
    }
}

std::size_t images_of(const PoolShape& shape, std::size_t inputs, std::size_t outputs) {
  const std::size_t images = inputs / shape.inputs();
  require(inputs == images * shape.inputs() && outputs == images * shape.outputs(),
          "pooling: the sizes do not fit together");
  return images;
}

float share(const PoolShape& shape) {
  return 1.0F / static_cast<float>(shape.window_height * shape.window_width);
}

}  // namespace

void max_pool(const PoolShape& shape, std::span<const float> x, std::span<float> y, int threads) {
  const std::size_t n = shape.channels;
  parallel_ranges(images_of(shape, x.size(), y.size()), 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t image = begin; image < end; ++image)
      for_windows(shape, image, [&](std::size_t output, std::size_t pixel, bool first) {
        if (first)
          std::copy_n(&x[pixel], n, &y[output]);
        else
          take_larger(&x[pixel], n, &y[output]);
      });
  });
}

void max_pool_backward(const PoolShape& shape, std::span<const float> x, std::span<const float> y,
                       std::span<const float> dy, std::span<float> dx, int threads) {
  const std::size_t n = shape.channels;
  require(x.size() == dx.size() && y.size() == dy.size(), "max_pool_backward: the sizes do not fit together");
  parallel_ranges(images_of(shape, x.size(), y.size()), 1, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<float> left(n);  // 1 where the window's output has not been met yet
    for (std::size_t image = begin; image < end; ++image) {
      std::fill_n(dx.begin() + image * shape.inputs(), shape.inputs(), 0.0F);
      for_windows(shape, image, [&](std::size_t output, std::size_t pixel, bool first) {
        if (first) std::fill(left.begin(), left.end(), 1.0F);
        give_to_largest(&x[pixel], &y[output], &dy[output], n, left.data(), &dx[pixel]);
      });
    }
  });
}

void average_pool(const PoolShape& shape, std::span<const float> x, std::span<float> y, int threads) {
  const std::size_t n = shape.channels;
  parallel_ranges(images_of(shape, x.size(), y.size()), 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t image = begin; image < end; ++image) {
      for_windows(shape, image, [&](std::size_t output, std::size_t pixel, bool first) {
        if (first)
          std::copy_n(&x[pixel], n, &y[output]);
        else
          add_to(&x[pixel], n, &y[output]);
      });
      scale(share(shape), shape.outputs(), &y[image * shape.outputs()]);
    }
  });
}

void average_pool_backward(const PoolShape& shape, std::span<const float> dy, std::span<float> dx,
                           int threads) {
  parallel_ranges(images_of(shape, dx.size(), dy.size()), 1, threads,
                  [&](std::size_t begin, std::size_t end) {
                    for (std::size_t image = begin; image < end; ++image) {
                      std::fill_n(dx.begin() + image * shape.inputs(), shape.inputs(), 0.0F);
                      for_windows(shape, image, [&](std::size_t output, std::size_t pixel, bool) {
                        add_scaled(share(shape), &dy[output], shape.channels, &dx[pixel]);
                      });
                    }
                  });
}

}  // namespace lockstep::kernels
