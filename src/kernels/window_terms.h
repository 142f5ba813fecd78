// What products with windows consist of: the terms within the images, chunk by chunk of them (gemm.h).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/windows.h"

namespace lockstep::kernels {

// Terms of a chunk of a product that follow one another: the first is its term `first`, whose left factor
// lies at `source`.
struct Run {
  std::size_t first, count, source;
};
using Runs = std::span<const Run>;

// What each window has of its image, the same for all images: its columns, chunk by chunk of them, without
// those that lie beyond the edges or between pixels. Sources are floats of an image.
class WindowTerms {
 public:
  WindowTerms(const Windows& windows, std::size_t chunk);
  Runs of(std::size_t window, std::size_t chunk) const {
    const std::size_t place = window * chunks_ + chunk;
    return Runs(runs_).subspan(first_[place], first_[place + 1] - first_[place]);
  }

 private:
  std::size_t chunks_;
  std::vector<Run> runs_;
  std::vector<std::size_t> first_;  // of each window's chunks
};

// What each tap, a pixel (ky, kx) of the windows, meets in a chunk of the windows, without those where it
// lies beyond an image's edges or between its pixels. Sources are pixels of all images, from first_pixel()
// on.
class TapTerms {
 public:
  explicit TapTerms(const Windows& windows);
  void move_to(const Windows& chunk);  // some rows of the windows
  Runs of(std::size_t tap) const { return Runs(runs_).subspan(first_[tap], first_[tap + 1] - first_[tap]); }
  std::size_t first_pixel() const { return first_pixel_; }
  std::size_t pixels() const { return pixels_; }  // up to the last that a tap meets

 private:
  std::vector<std::vector<Run>> of_image_;  // of each tap, the image's windows and pixels
  std::vector<Run> runs_;                   // of all taps in the chunk
  std::vector<std::size_t> first_;
  std::size_t first_pixel_ = 0, pixels_ = 0;
};

}  // namespace lockstep::kernels
