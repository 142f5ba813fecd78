#include "kernels/arrays.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::kernels {
namespace {

LOCKSTEP_CLONES void add_row(float* x, const float* y, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) x[j] += y[j];
}

LOCKSTEP_CLONES void multiply_part(float* x, std::size_t n, float factor) {
  for (std::size_t i = 0; i < n; ++i) x[i] *= factor;
}

LOCKSTEP_CLONES double sum_of_squares_chunk(const float* x, std::size_t n) {
  constexpr std::size_t kLanes = 8;
  double lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) lanes[l] += static_cast<double>(x[i + l]) * x[i + l];
  for (; i < n; ++i) lanes[i % kLanes] += static_cast<double>(x[i]) * x[i];
  double sum = 0.0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

LOCKSTEP_CLONES std::uint32_t count_non_finite(const float* x, std::size_t n) {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < n; ++i)
    count += (std::bit_cast<std::uint32_t>(x[i]) & 0x7f800000U) == 0x7f800000U ? 1U : 0U;
  return count;
}

}  // namespace

void add_bias(Matrix x, std::span<const float> bias, int threads) {
  require(x.cols == bias.size() && x.col_stride == 1, "add_bias: one bias per column is needed");
  parallel_ranges(x.rows, rows_worth_a_thread(x.cols), threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) add_row(x.data + i * x.row_stride, bias.data(), x.cols);
  });
}

void add_column_sums(ConstMatrix x, std::span<float> sums) {
  require(x.cols == sums.size() && x.col_stride == 1, "add_column_sums: one sum per column is needed");
  std::vector<float> chunk(x.cols);
  for (std::size_t begin = 0; begin < x.rows; begin += kChunk) {
    std::fill(chunk.begin(), chunk.end(), 0.0F);
    for (std::size_t i = begin; i < std::min(begin + kChunk, x.rows); ++i)
      add_row(chunk.data(), x.data + i * x.row_stride, x.cols);
    add_row(sums.data(), chunk.data(), x.cols);
  }
}

void add(std::span<const float> x, std::span<float> y, int threads) {
  require(x.size() == y.size(), "add: the lengths differ");
  parallel_ranges(y.size(), 4096, threads, [&](std::size_t begin, std::size_t end) {
    add_row(y.data() + begin, x.data() + begin, end - begin);
  });
}

void multiply(std::span<float> x, float factor, int threads) {
  parallel_ranges(x.size(), 4096, threads, [&](std::size_t begin, std::size_t end) {
    multiply_part(x.data() + begin, end - begin, factor);
  });
}

void move_towards(std::span<const float> sums, double scale, double share, std::span<float> average) {
  require(sums.size() == average.size(), "move_towards: the lengths differ");
  for (std::size_t i = 0; i < sums.size(); ++i)
    average[i] = static_cast<float>((1.0 - share) * double{average[i]} + share * (scale * double{sums[i]}));
}

double sum_of_squares(std::span<const float> x, int threads) {
  constexpr std::size_t kPart = 1 << 16;
  std::vector<double> chunks((x.size() + kPart - 1) / kPart);
  parallel_ranges(chunks.size(), 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t c = begin; c < end; ++c) {
      const auto chunk = x.subspan(c * kPart, std::min(kPart, x.size() - c * kPart));
      chunks[c] = sum_of_squares_chunk(chunk.data(), chunk.size());
    }
  });
  double sum = 0.0;
  for (const double chunk : chunks) sum += chunk;
  return sum;
}

double largest_magnitude(std::span<const float> x) {
  double largest = 0.0;
  for (const float value : x) largest = std::max(largest, std::fabs(double{value}));
  return largest;
}

bool all_finite(std::span<const float> x, int threads) {
  std::atomic<bool> finite = true;
  parallel_ranges(x.size(), std::size_t{1} << 14, threads, [&](std::size_t begin, std::size_t end) {
    if (count_non_finite(x.data() + begin, end - begin) != 0) finite = false;
  });
  return finite;
}

}  // namespace lockstep::kernels
