#ifdef __x86_64__
#include <immintrin.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/aligned_buffer.h"
#include "base/simd.h"
#include "kernels/products.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace lockstep::kernels {
namespace {

struct Simd {
  using V = __m256;
  using Integers = __m256i;
  static constexpr std::size_t kLanes = 8, kRows = 6;

  static V zero() { return _mm256_setzero_ps(); }
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static V load_first(const float* p, std::size_t n) { return _mm256_maskload_ps(p, first(n)); }
  static void store(float* p, V x) { _mm256_storeu_ps(p, x); }
  static void store_first(float* p, V x, std::size_t n) { _mm256_maskstore_ps(p, first(n), x); }
  static V broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  static V add(V x, V y) { return _mm256_add_ps(x, y); }
  static V multiply_add(V x, V y, V sum) { return _mm256_fmadd_ps(x, y, sum); }

  // Pairs of rows, then of pairs, within halves of the vectors; then the halves.
  static void transpose(V (&rows)[kLanes]) {
    V t[kLanes];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kLanes; i += 2) {
      t[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
#pragma GCC unroll 2
    for (std::size_t i = 0; i < kLanes; i += 4) {
      rows[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      rows[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
      rows[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      rows[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kLanes / 2; ++i) {
      t[i] = _mm256_permute2f128_ps(rows[i], rows[i + 4], 0x20);
      t[i + 4] = _mm256_permute2f128_ps(rows[i], rows[i + 4], 0x31);
    }
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kLanes; ++i) rows[i] = t[i];
  }

  static Integers no_bits() { return _mm256_setzero_si256(); }
  static std::uint32_t most(Integers bits) {
    std::uint32_t lanes[kLanes];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), bits);
    return *std::max_element(lanes, lanes + kLanes);
  }
  struct Rounder {
    explicit Rounder(const Rounding& rounding)
        : scale(_mm256_set1_ps(rounding.scale)),
          highest(_mm256_set1_ps(rounding.limit)),
          lowest(_mm256_set1_ps(-rounding.limit)) {}
    // sums = or += x as quantize() rounds it; returns the larger of `largest` and |x|, as bits.
    Integers add(V x, bool accumulate, std::int32_t* sums, Integers largest) const {
      largest =
          _mm256_max_epu32(largest, _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7fffffff)));
      x = _mm256_min_ps(_mm256_mul_ps(x, scale), highest);  // highest where x is NaN
      Integers q = _mm256_cvtps_epi32(_mm256_max_ps(x, lowest));
      auto* const to = reinterpret_cast<__m256i*>(sums);
      if (accumulate) q = _mm256_add_epi32(_mm256_loadu_si256(to), q);
      _mm256_storeu_si256(to, q);
      return largest;
    }
    V scale, highest, lowest;
  };

 private:
  static __m256i first(std::size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace
}  // namespace lockstep::kernels

#include "kernels/tiled_products.h"
#include "kernels/tiled_windows.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace lockstep::kernels {
const Products kAvx2Products = {multiply, quantize_group, multiply_windows, multiply_by_windows};
}  // namespace lockstep::kernels

#endif
