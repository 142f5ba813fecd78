#ifdef __x86_64__
#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12 in its own AVX-512 functions: its bug 105593
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
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
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl")
#endif

namespace lockstep::kernels {
namespace {

struct Simd {
  using V = __m512;
  using Integers = __m512i;
  static constexpr std::size_t kLanes = 16, kRows = 14;

  static V zero() { return _mm512_setzero_ps(); }
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static V load_first(const float* p, std::size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static void store(float* p, V x) { _mm512_storeu_ps(p, x); }
  static void store_first(float* p, V x, std::size_t n) { _mm512_mask_storeu_ps(p, first(n), x); }
  static V broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static V add(V x, V y) { return _mm512_add_ps(x, y); }
  static V multiply_add(V x, V y, V sum) { return _mm512_fmadd_ps(x, y, sum); }

  // Pairs of rows, then of pairs, within quarters of the vectors; then the quarters.
  static void transpose(V (&rows)[kLanes]) {
    V t[kLanes];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kLanes; i += 2) {
      t[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kLanes; i += 4) {
      rows[i] = low_pairs(t[i], t[i + 2]);
      rows[i + 1] = high_pairs(t[i], t[i + 2]);
      rows[i + 2] = low_pairs(t[i + 1], t[i + 3]);
      rows[i + 3] = high_pairs(t[i + 1], t[i + 3]);
    }
    // Now quarter q of rows[4 i + j] is column 4 q + j of rows 4 i .. 4 i + 3.
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) {
      const V even_low = _mm512_shuffle_f32x4(rows[j], rows[j + 4], 0x88),
              odd_low = _mm512_shuffle_f32x4(rows[j], rows[j + 4], 0xdd),
              even_high = _mm512_shuffle_f32x4(rows[j + 8], rows[j + 12], 0x88),
              odd_high = _mm512_shuffle_f32x4(rows[j + 8], rows[j + 12], 0xdd);
      t[j] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
      t[j + 4] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
      t[j + 8] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
      t[j + 12] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kLanes; ++i) rows[i] = t[i];
  }

  static Integers no_bits() { return _mm512_setzero_si512(); }
  static std::uint32_t most(Integers bits) { return _mm512_reduce_max_epu32(bits); }
  struct Rounder {
    explicit Rounder(const Rounding& rounding)
        : scale(_mm512_set1_ps(rounding.scale)),
          highest(_mm512_set1_ps(rounding.limit)),
          lowest(_mm512_set1_ps(-rounding.limit)) {}
    // sums = or += x as quantize() rounds it; returns the larger of `largest` and |x|, as bits.
    Integers add(V x, bool accumulate, std::int32_t* sums, Integers largest) const {
      largest =
          _mm512_max_epu32(largest, _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff)));
      x = _mm512_min_ps(_mm512_mul_ps(x, scale), highest);  // highest where x is NaN
      Integers q = _mm512_cvtps_epi32(_mm512_max_ps(x, lowest));
      if (accumulate) q = _mm512_add_epi32(_mm512_loadu_si512(sums), q);
      _mm512_storeu_si512(sums, q);
      return largest;
    }
    V scale, highest, lowest;
  };

 private:
  static V low_pairs(V x, V y) {
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)));
  }
  static V high_pairs(V x, V y) {
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)));
  }
  static __mmask16 first(std::size_t n) { return static_cast<__mmask16>((1U << n) - 1U); }
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
const Products kAvx512Products = {multiply, quantize_group, multiply_windows, multiply_by_windows};
}  // namespace lockstep::kernels

#endif
