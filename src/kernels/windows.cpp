#include "kernels/windows.h"

#include <algorithm>
#include <cstring>

#include "base/aligned_buffer.h"
#include "base/simd.h"
#include "kernels/products.h"

namespace lockstep::kernels {

std::vector<WindowRun> window_runs(const Windows& windows, std::size_t cut) {
  const std::size_t channels = windows.images.channels, size = windows.grid.size;
  std::vector<WindowRun> runs;
  for (std::size_t col = 0; col < windows.cols;) {
    const std::size_t pixel = col / channels, channel = col % channels;
    const std::size_t count = std::min(channels - channel, cut - col % cut);
    runs.push_back({pixel / size, pixel % size, channel, col, count});
    col += count;
  }
  return runs;
}

WindowCursor::WindowCursor(const Windows& windows) : images_(windows.images), grid_(windows.grid) {
  const std::size_t per_image = grid_.rows * grid_.cols, in_image = windows.first_row % per_image;
  row_ = in_image / grid_.cols;
  col_ = in_image % grid_.cols;
  image_ = images_.data + windows.first_row / per_image * images_.height * images_.width * images_.channels;
  place();
}

void WindowCursor::place() {
  const auto padding = static_cast<std::size_t>(grid_.padding);
  y_ = row_ * grid_.stride - padding;
  x_ = col_ * grid_.stride - padding;
}

void WindowCursor::next() {
  if (++col_ == grid_.cols) {
    col_ = 0;
    if (++row_ == grid_.rows) {
      row_ = 0;
      image_ += images_.height * images_.width * images_.channels;
    }
  }
  place();
}

namespace {

// to (rows, cols) = the windows.
void copy_windows(const Windows& windows, Matrix to, int threads) {
  const std::vector<WindowRun> runs = window_runs(windows, windows.cols);
  parallel_ranges(windows.rows, 1, threads, [&](std::size_t begin, std::size_t end) {
    WindowCursor window(windows.row_range(begin, end - begin));
    for (std::size_t i = begin; i < end; ++i, window.next())
      for (const WindowRun& run : runs) {
        float* const place = to.data + i * to.row_stride + run.first;
        const float* const from = window.find(run);
        if (from == nullptr)
          std::fill_n(place, run.count, 0.0F);
        else
          std::memcpy(place, from, run.count * sizeof(float));
      }
  });
}

// A matrix of this thread's own, until it asks again.
Matrix own_matrix(std::size_t rows, std::size_t cols) {
  static thread_local AlignedBuffer<float> memory;
  if (memory.size() < rows * cols) memory = AlignedBuffer<float>(rows * cols);
  return {memory.data(), rows, cols};
}

}  // namespace

void multiply_windows_by(decltype(Products::multiply) multiply, const Windows& a, ConstMatrix b, Matrix c,
                         Store store, int threads) {
  constexpr std::size_t kRows = 256;
  for (std::size_t row = 0; row < a.rows; row += kRows) {
    const std::size_t rows = std::min(kRows, a.rows - row);
    const Matrix some = own_matrix(rows, a.cols);
    copy_windows(a.row_range(row, rows), some, threads);
    multiply(some, b, c.row_range(row, rows), store, threads);
  }
}

void multiply_by_windows_by(decltype(Products::multiply) multiply, ConstMatrix a, const Windows& b, Matrix c,
                            Store store, int threads) {
  for (std::size_t row = 0; row < b.rows; row += kChunk) {
    const std::size_t rows = std::min(kChunk, b.rows - row);
    const Matrix some = own_matrix(rows, b.cols);
    copy_windows(b.row_range(row, rows), some, threads);
    multiply(a.col_range(row, rows), some, c, store, threads);
    store = Store::kAccumulate;
  }
}

}  // namespace lockstep::kernels
