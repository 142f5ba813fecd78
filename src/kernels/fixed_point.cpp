#include "kernels/fixed_point.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::kernels {
namespace {

inline std::int32_t to_fixed(float x, float scale, float limit) {
  float q = x * scale;
  q = q < limit ? q : limit;  // NaN compares false: it becomes limit
  q = q > -limit ? q : -limit;
  return static_cast<std::int32_t>(__builtin_rintf(q));
}

LOCKSTEP_CLONES std::uint32_t quantize_row(const float* x, std::size_t n, float scale, float limit,
                                           std::int32_t* sums) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffU);
    sums[i] = to_fixed(x[i], scale, limit);
  }
  return largest;
}

LOCKSTEP_CLONES std::uint32_t quantize_add_row(const float* x, std::size_t n, float scale, float limit,
                                               std::int32_t* sums) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffU);
    sums[i] += to_fixed(x[i], scale, limit);
  }
  return largest;
}

LOCKSTEP_CLONES void dequantize_range(const std::int32_t* sums, float scale, float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(sums[i]) * scale;
}

}  // namespace

int Magnitude::exponent() const { return std::ilogb(std::bit_cast<float>(largest_bits)) + 1; }

Magnitude quantize(ConstMatrix x, float scale, float limit, Store store, std::int32_t* sums,
                   std::size_t sums_stride) {
  require(x.col_stride == 1, "quantize: rows of x must be contiguous");
  Magnitude magnitude;
  for (std::size_t i = 0; i < x.rows; ++i) {
    const auto row = store == Store::kOverwrite ? quantize_row : quantize_add_row;
    const std::uint32_t largest =
        row(x.data + i * x.row_stride, x.cols, scale, limit, sums + i * sums_stride);
    magnitude.largest_bits = std::max(magnitude.largest_bits, largest);
  }
  return magnitude;
}

void dequantize(std::span<const std::int32_t> sums, float scale, std::span<float> x) {
  require(sums.size() == x.size(), "dequantize: the lengths differ");
  dequantize_range(sums.data(), scale, x.data(), x.size());
}

}  // namespace lockstep::kernels
