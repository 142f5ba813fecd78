// Products in plain loops: what a processor without wide fused multiply-adds computes with, to the same bits.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/simd.h"
#include "kernels/products.h"

#if defined(__x86_64__) && !defined(LOCKSTEP_SANITIZED)
#define LOCKSTEP_FMA_CLONES __attribute__((target_clones("fma", "default")))
#else
#define LOCKSTEP_FMA_CLONES
#endif

namespace lockstep::kernels {
namespace {

constexpr std::size_t kStrip = 64;

// sums (n) = a (k) b (k, n), one chain each, with elements of a `step` apart and rows of b kStrip apart.
// Where there is no such instruction, std::fma is a function of the C library.
LOCKSTEP_FMA_CLONES void chains(std::size_t k, const float* a, std::size_t step, const float* b,
                                std::size_t n, float* sums) {
  std::fill(sums, sums + n, 0.0F);
  for (std::size_t p = 0; p < k; ++p, b += kStrip)
    for (std::size_t j = 0; j < n; ++j) sums[j] = std::fma(a[p * step], b[j], sums[j]);
}

// One chunk of some rows of a with a strip of b.
void multiply_strip(ConstMatrix a, const float* strip, Matrix c, Store store) {
  for (std::size_t i = 0; i < c.rows; ++i) {
    float sums[kStrip];
    chains(a.cols, a.data + i * a.row_stride, a.col_stride, strip, c.cols, sums);
    for (std::size_t j = 0; j < c.cols; ++j) {
      float& element = c.data[i * c.row_stride + j * c.col_stride];
      element = (store == Store::kAccumulate ? element + sums[j] : sums[j]) + 0.0F;  // -0 becomes +0
    }
  }
}

void multiply(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  parallel_ranges(c.rows, 1, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<float> strip(std::min(kChunk, a.cols) * kStrip);
    for (std::size_t col = 0; col < c.cols; col += kStrip) {
      const std::size_t cols = std::min(kStrip, c.cols - col);
      Store of_chunk = store;
      for (std::size_t p = 0; p < a.cols; p += kChunk) {
        const std::size_t k = std::min(kChunk, a.cols - p);
        for (std::size_t q = 0; q < k; ++q)
          for (std::size_t j = 0; j < cols; ++j)
            strip[q * kStrip + j] = b.data[(p + q) * b.row_stride + (col + j) * b.col_stride];
        multiply_strip(a.row_range(begin, end - begin).col_range(p, k), strip.data(),
                       c.row_range(begin, end - begin).col_range(col, cols), of_chunk);
        of_chunk = Store::kAccumulate;
      }
    }
  });
}

std::uint32_t quantize_group(const BlockGroup& group) { return quantize_group_by(multiply, group); }

}  // namespace

const Products kPortableProducts = {multiply, quantize_group};

}  // namespace lockstep::kernels
