// Products with windows of images by tiles, see tiled_products.h. What lies beyond an image's edges is left
// out, not multiplied by zero.
#pragma once

#include <algorithm>

#include "base/aligned_buffer.h"
#include "base/simd.h"
#include "kernels/tiled_products.h"
#include "kernels/window_terms.h"
#include "kernels/windows.h"

namespace lockstep::kernels {
namespace {

// c = or += a b. A tile is the same window of several images, which have the same terms: its rows are read
// where they are. b is packed to strips, and each chunk of a strip meets as many tiles as have their pixels
// in the second-level cache.
void multiply_windows(const Windows& a, ConstMatrix b, Matrix c, Store store, int threads) {
  static thread_local AlignedBuffer<float> strip_scratch;
  threads = useful_threads(c, b.rows, threads);
  const std::size_t strips = parts_of(c.cols, kStrip), chunks = parts_of(b.rows, kChunk);
  float* const packed = own_scratch(strip_scratch, strips * chunks * kChunk * kStrip);
  const auto place = [&](std::size_t strip, std::size_t p) {
    return packed + (strip * chunks * kChunk + p) * kStrip;
  };
  const auto columns = [&](auto x, std::size_t strip) {
    return x.col_range(strip * kStrip, std::min(kStrip, c.cols - strip * kStrip));
  };
  parallel_ranges(strips * chunks, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t strip = i / chunks, p = i % chunks * kChunk;
      pack_strips(columns(b.row_range(p, std::min(kChunk, b.rows - p)), strip), place(strip, p));
    }
  });

  constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
  const WindowTerms terms(a, kChunk);
  const std::size_t windows = a.per_image(), groups = parts_of(a.images.count, Simd::kRows),
                    image_size = a.images.height * a.images.width * a.images.channels,
                    block = std::max<std::size_t>(
                        1, kBlockBytes / (Simd::kRows * a.images.channels * sizeof(float)));
  const auto multiply_tile = [&](std::size_t t, std::size_t strip, std::size_t p) {
    const std::size_t window = t % windows, first = start(a.images.count, t / windows, groups),
                      images = start(a.images.count, t / windows + 1, groups) - first;
    const Matrix rows(c.data + (first * windows + window) * c.row_stride, images, c.cols,
                      windows * c.row_stride, 1);
    store_tile(terms.of(window, p / kChunk), {a.images.data + first * image_size, image_size},
               Layout::kByRows, place(strip, p), columns(rows, strip), p > 0 || store == Store::kAccumulate);
  };
  parallel_ranges(groups * windows, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t first = begin; first < end; first += block)
      for (std::size_t strip = 0; strip < strips; ++strip)
        for (std::size_t p = 0; p < b.rows; p += kChunk)
          for (std::size_t t = first; t < std::min(first + block, end); ++t) multiply_tile(t, strip, p);
  });
}

// Some channels of pixels, as rows, to a slot by columns.
void pack_pixels(ConstMatrix pixels, float* slot) {
  for (std::size_t i = 0; i < pixels.rows; ++i, slot += kLanes) {
    const float* const pixel = pixels.data + i * pixels.row_stride;
    __builtin_prefetch(pixel + kAhead * pixels.row_stride);
    copy_first(pixel, pixels.cols, slot);
  }
}

// c (K,N) = or += aᵀ b, with c's columns whole vectors. Rows are (tap, channel), and a tile is some channels
// of a tap. For each chunk of windows, b is packed to strips and some channels at a time to a slot, which all
// taps share.
void multiply_transposed_windows(const Windows& a, ConstMatrix b, Matrix c, Store store, int threads) {
  const std::size_t channels = a.images.channels, taps = a.cols / channels,
                    tiles = parts_of(channels, Simd::kRows);
  const ConstMatrix pixels(a.images.data, a.images.count * a.images.height * a.images.width, channels);
  parallel_ranges(tiles * taps, 1, threads, [&](std::size_t begin, std::size_t end) {
    static thread_local AlignedBuffer<float> strip_scratch, slot_scratch;
    float* const strips = own_scratch(strip_scratch, parts_of(c.cols, kStrip) * kStrip * kChunk);
    TapTerms terms(a);
    for (std::size_t p = 0; p < a.rows; p += kChunk) {
      const std::size_t k = std::min(kChunk, a.rows - p);
      pack_strips(b.row_range(p, k), strips);
      terms.move_to(a.row_range(p, k));
      float* const slot = own_scratch(slot_scratch, terms.pixels() * kLanes);
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t tile = i / taps, tap = i % taps, channel = start(channels, tile, tiles),
                          count = start(channels, tile + 1, tiles) - channel;
        if (i == begin || tap == 0)
          pack_pixels(pixels.row_range(terms.first_pixel(), terms.pixels()).col_range(channel, count), slot);
        const Matrix rows = c.row_range(tap * channels + channel, count);
        for (std::size_t col = 0; col < c.cols; col += kStrip)
          store_tile(terms.of(tap), {slot}, Layout::kByColumns, strips + col * k,
                     rows.col_range(col, std::min(kStrip, c.cols - col)),
                     p > 0 || store == Store::kAccumulate);
      }
    }
  });
}

// Lanes run along a's rows, not along b's columns, of which a tap may have few: c is computed transposed.
void multiply_by_windows(ConstMatrix a, const Windows& b, Matrix c, Store store, int threads) {
  static thread_local AlignedBuffer<float> scratch;
  threads = useful_threads(c, a.cols, threads);
  const std::size_t cols = parts_of(c.rows, kLanes) * kLanes;
  const Matrix whole(own_scratch(scratch, c.cols * cols), c.cols, cols);
  if (store == Store::kAccumulate) transpose(c, whole, threads);
  multiply_transposed_windows(b, a.transposed(), whole, store, threads);
  transpose(ConstMatrix(whole).col_range(0, c.rows), c, threads);
}

}  // namespace
}  // namespace lockstep::kernels
