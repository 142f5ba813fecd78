// The windows that a convolution slides over images, as a matrix that is never stored.
#pragma once

#include <cstddef>
#include <vector>

namespace lockstep::kernels {

// Images lie pixel by pixel (NHWC): channel c of pixel (y, x) of image n is
// data[((n * height + y) * width + x) * channels + c].
struct Images {
  const float* data = nullptr;
  std::size_t count = 0, height = 0, width = 0, channels = 0;
};

// Which windows: of size x size pixels, their upper left corners `stride` apart, the first one `padding`
// pixels above and to the left of the image; rows x cols of them per image. Beyond the image there are zeros.
// With spacing > 1 the image is spread out first: spacing - 1 zeros lie between neighbouring pixels and rows.
struct WindowGrid {
  std::size_t size = 1, stride = 1;
  std::ptrdiff_t padding = 0;  // below 0: the first window begins inside the image
  std::size_t rows = 1, cols = 1, spacing = 1;
};

// The matrix of all windows, or some rows of it. Its rows are windows, (n, y, x) in this order; its columns
// are what a window holds, (ky, kx, c).
struct Windows {
  Windows(const Images& i, const WindowGrid& g)
      : images(i), grid(g), rows(i.count * g.rows * g.cols), cols(g.size * g.size * i.channels) {}

  std::size_t per_image() const { return grid.rows * grid.cols; }
  Windows row_range(std::size_t begin, std::size_t count) const {
    Windows part = *this;
    part.first_row += begin;
    part.rows = count;
    return part;
  }

  Images images;
  WindowGrid grid;
  std::size_t first_row = 0;
  std::size_t rows, cols;
};

// Some columns of a matrix of windows: channels of one pixel.
struct WindowRun {
  std::size_t y, x, channel;  // of the window
  std::size_t first, count;   // columns
};

// The columns in runs that end where a pixel's channels do, and at multiples of `cut`.
std::vector<WindowRun> window_runs(const Windows& windows, std::size_t cut);

// Where the windows' rows lie, one after the other.
class WindowCursor {
 public:
  explicit WindowCursor(const Windows& windows);
  // A run of this window; null where it lies beyond the image, or between its pixels.
  const float* find(const WindowRun& run) const {
    std::size_t y = y_ + run.y, x = x_ + run.x;  // a corner above or left of the image wraps round: too large
    if (grid_.spacing > 1) {
      if (y % grid_.spacing != 0 || x % grid_.spacing != 0) return nullptr;
      y /= grid_.spacing;
      x /= grid_.spacing;
    }
    if (y >= images_.height || x >= images_.width) return nullptr;
    return image_ + (y * images_.width + x) * images_.channels + run.channel;
  }
  void next();

 private:
  void place();

  Images images_;
  WindowGrid grid_;
  std::size_t row_ = 0, col_ = 0;  // of the window in its image
  const float* image_;
  std::size_t y_ = 0, x_ = 0;  // of its corner
};

}  // namespace lockstep::kernels
