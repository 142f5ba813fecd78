#include "kernels/quantized_product.h"

#ifdef __x86_64__
#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12 in its own AVX-512 functions: its bug 105593
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

#include "base/error.h"
#include "kernels/kernel_family.h"

namespace lockstep::kernels {
namespace {

using BlockRows = std::span<const std::size_t>;

struct Rounding {
  float scale, limit;
};

// Consecutive blocks whose rows of a and b are computed with while they are in the second-level cache.
struct Group {
  ConstMatrix a, b;
  BlockRows block_rows;
  Rounding rounding;
  Store store;
  std::int32_t* sums;
  std::size_t sums_stride;
  float* room;  // quantize_products_room() floats

  std::size_t rows() const { return a.rows; }
};

#ifdef __x86_64__

// A tile of sums is as large as the registers can hold, beside a row of b and a number of a. Each adds to
// sums (kRows, kCols) the products of strips a (rows, kRows) and b (rows, kCols), block by block, and returns
// the bits of the largest |x| rounded. There are two, since what a function is compiled for cannot be a
// template's parameter.
struct TileAvx2 {
  static constexpr std::size_t kRows = 6, kCols = 16;

  __attribute__((target("avx2,fma"))) static std::uint32_t add(const float* a, const float* b,
                                                               BlockRows block_rows, Rounding rounding,
                                                               Store store, std::int32_t* sums) {
    const __m256 scale = _mm256_set1_ps(rounding.scale), highest = _mm256_set1_ps(rounding.limit),
                 lowest = _mm256_set1_ps(-rounding.limit);
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i largest = _mm256_setzero_si256();
    for (const std::size_t rows : block_rows) {
      __m256 c[kRows][2];
#pragma GCC unroll 6
      for (std::size_t i = 0; i < kRows; ++i) c[i][0] = c[i][1] = _mm256_setzero_ps();
      for (std::size_t row = 0; row < rows; ++row, a += kRows, b += kCols) {
        const __m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + 8);
#pragma GCC unroll 6
        for (std::size_t i = 0; i < kRows; ++i) {
          const __m256 x = _mm256_broadcast_ss(a + i);
          c[i][0] = _mm256_fmadd_ps(x, b0, c[i][0]);
          c[i][1] = _mm256_fmadd_ps(x, b1, c[i][1]);
        }
      }
#pragma GCC unroll 6
      for (std::size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
        for (std::size_t half = 0; half < 2; ++half) {
          largest = _mm256_max_epu32(largest, _mm256_and_si256(_mm256_castps_si256(c[i][half]), magnitude));
          const __m256 x =
              _mm256_min_ps(_mm256_mul_ps(c[i][half], scale), highest);  // highest where x is NaN
          __m256i q = _mm256_cvtps_epi32(_mm256_max_ps(x, lowest));
          auto* const sum = reinterpret_cast<__m256i*>(sums + i * kCols + half * 8);
          if (store == Store::kAccumulate) q = _mm256_add_epi32(_mm256_loadu_si256(sum), q);
          _mm256_storeu_si256(sum, q);
        }
      }
      store = Store::kAccumulate;
    }
    std::uint32_t lanes[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), largest);
    return *std::max_element(lanes, lanes + 8);
  }
};

struct TileAvx512 {
  static constexpr std::size_t kRows = 12, kCols = 32;

  __attribute__((target("avx512f"))) static std::uint32_t add(const float* a, const float* b,
                                                              BlockRows block_rows, Rounding rounding,
                                                              Store store, std::int32_t* sums) {
    const __m512 scale = _mm512_set1_ps(rounding.scale), highest = _mm512_set1_ps(rounding.limit),
                 lowest = _mm512_set1_ps(-rounding.limit);
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    __m512i largest = _mm512_setzero_si512();
    for (const std::size_t rows : block_rows) {
      __m512 c[kRows][2];
#pragma GCC unroll 12
      for (std::size_t i = 0; i < kRows; ++i) c[i][0] = c[i][1] = _mm512_setzero_ps();
      for (std::size_t row = 0; row < rows; ++row, a += kRows, b += kCols) {
        const __m512 b0 = _mm512_loadu_ps(b), b1 = _mm512_loadu_ps(b + 16);
#pragma GCC unroll 12
        for (std::size_t i = 0; i < kRows; ++i) {
          const __m512 x = _mm512_set1_ps(a[i]);
          c[i][0] = _mm512_fmadd_ps(x, b0, c[i][0]);
          c[i][1] = _mm512_fmadd_ps(x, b1, c[i][1]);
        }
      }
#pragma GCC unroll 12
      for (std::size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
        for (std::size_t half = 0; half < 2; ++half) {
          largest = _mm512_max_epu32(largest, _mm512_and_si512(_mm512_castps_si512(c[i][half]), magnitude));
          const __m512 x =
              _mm512_min_ps(_mm512_mul_ps(c[i][half], scale), highest);  // highest where x is NaN
          __m512i q = _mm512_cvtps_epi32(_mm512_max_ps(x, lowest));
          std::int32_t* const sum = sums + i * kCols + half * 16;
          if (store == Store::kAccumulate) q = _mm512_add_epi32(_mm512_loadu_si512(sum), q);
          _mm512_storeu_si512(sum, q);
        }
      }
      store = Store::kAccumulate;
    }
    return _mm512_reduce_max_epu32(largest);
  }
};

constexpr std::size_t whole(std::size_t n, std::size_t tile) { return (n + tile - 1) / tile * tile; }

// n numbers; fast for `most`, the usual n.
template <std::size_t most, typename T>
void copy(const T* from, std::size_t n, T* to) {
  if (n == most)
    std::memcpy(to, from, most * sizeof(T));
  else
    for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
}

// Columns of x, `width` at a time and zeros beyond the last: a strip is (rows, width). A few rows at a time,
// so that x is read as the memory likes it.
template <std::size_t width>
void pack_strips(ConstMatrix x, float* strips) {
  constexpr std::size_t kRowsAtATime = 8;
  for (std::size_t begin = 0; begin < x.rows; begin += kRowsAtATime) {
    const std::size_t end = std::min(begin + kRowsAtATime, x.rows);
    for (std::size_t first = 0; first < x.cols; first += width) {
      const std::size_t cols = std::min(width, x.cols - first);
      float* to = strips + first * x.rows + begin * width;
      for (std::size_t row = begin; row < end; ++row, to += width) {
        copy<width>(x.data + row * x.row_stride + first, cols, to);
        if (cols < width) std::fill(to + cols, to + width, 0.0F);
      }
    }
  }
}

template <typename Tile>
std::uint32_t add_group_by_tiles(const Group& group) {
  const std::size_t m = group.a.cols, n = group.b.cols;
  float* const a_strips = group.room;
  float* const b_strips = a_strips + group.rows() * whole(m, Tile::kRows);
  pack_strips<Tile::kRows>(group.a, a_strips);
  pack_strips<Tile::kCols>(group.b, b_strips);
  std::uint32_t largest = 0;
  alignas(64) std::int32_t tile[Tile::kRows * Tile::kCols] = {};
  for (std::size_t j = 0; j < n; j += Tile::kCols) {
    const std::size_t cols = std::min(Tile::kCols, n - j);
    for (std::size_t i = 0; i < m; i += Tile::kRows) {
      const std::size_t rows = std::min(Tile::kRows, m - i);
      std::int32_t* const sums = group.sums + i * group.sums_stride + j;
      if (group.store == Store::kAccumulate)
        for (std::size_t row = 0; row < rows; ++row)
          copy<Tile::kCols>(sums + row * group.sums_stride, cols, tile + row * Tile::kCols);
      largest = std::max(largest, Tile::add(a_strips + i * group.rows(), b_strips + j * group.rows(),
                                            group.block_rows, group.rounding, group.store, tile));
      for (std::size_t row = 0; row < rows; ++row)
        copy<Tile::kCols>(tile + row * Tile::kCols, cols, sums + row * group.sums_stride);
    }
  }
  return largest;
}

#endif

// With whatever kernels BLIS uses.
std::uint32_t add_group_by_gemm(const Group& group) {
  const Matrix product(group.room, group.a.cols, group.b.cols);
  Magnitude magnitude;
  Store store = group.store;
  std::size_t row = 0;
  for (const std::size_t rows : group.block_rows) {
    gemm(group.a.row_range(row, rows).transposed(), group.b.row_range(row, rows), product, Store::kOverwrite,
         /*threads=*/1);
    const Magnitude of_block =
        quantize(product, group.rounding.scale, group.rounding.limit, store, group.sums, group.sums_stride);
    magnitude.largest_bits = std::max(magnitude.largest_bits, of_block.largest_bits);
    store = Store::kAccumulate;
    row += rows;
  }
  return magnitude.largest_bits;
}

using AddGroup = std::uint32_t (*)(const Group&);

AddGroup choose_add_group() {
#ifdef __x86_64__
  const std::string family = kernel_family();
  if (family == "haswell") return add_group_by_tiles<TileAvx2>;
  if (family == "skx") return add_group_by_tiles<TileAvx512>;
#endif
  return add_group_by_gemm;
}

// The first of the blocks that make a group: as many as have kGroupRows rows together, one at least.
BlockRows first_group(BlockRows block_rows) {
  constexpr std::size_t kGroupRows = 256;
  std::size_t blocks = 1, rows = block_rows.front();
  while (blocks < block_rows.size() && rows + block_rows[blocks] <= kGroupRows) rows += block_rows[blocks++];
  return block_rows.first(blocks);
}

std::size_t rows_of(BlockRows blocks) {
  return std::accumulate(blocks.begin(), blocks.end(), std::size_t{0});
}

}  // namespace

std::size_t quantize_products_room(std::span<const std::size_t> block_rows, std::size_t m, std::size_t n) {
  constexpr std::size_t kWidestTile = 32;
  std::size_t rows = 0;
  for (BlockRows left = block_rows; !left.empty();) {
    const BlockRows group = first_group(left);
    rows = std::max(rows, rows_of(group));
    left = left.subspan(group.size());
  }
  return std::max(m * n, rows * (m + n + 2 * kWidestTile));
}

Magnitude quantize_products(ConstMatrix a, ConstMatrix b, std::span<const std::size_t> block_rows,
                            float scale, float limit, Store store, std::int32_t* sums,
                            std::size_t sums_stride, std::span<float> room) {
  static const AddGroup add_group = choose_add_group();
  require(a.col_stride == 1 && b.col_stride == 1, "quantize_products: rows must be contiguous");
  require(a.rows == b.rows && !block_rows.empty() && rows_of(block_rows) == a.rows,
          "quantize_products: the blocks are not those of both matrices");
  require(room.size() >= quantize_products_room(block_rows, a.cols, b.cols),
          "quantize_products: too little room");
  Magnitude magnitude;
  std::size_t row = 0;
  while (!block_rows.empty()) {
    const BlockRows group = first_group(block_rows);
    const std::size_t rows = rows_of(group);
    const AddGroup add = rows > kChunk ? add_group_by_gemm : add_group;  // a longer block is several chains
    const std::uint32_t largest_bits = add({a.row_range(row, rows),
                                            b.row_range(row, rows),
                                            group,
                                            {scale, limit},
                                            store,
                                            sums,
                                            sums_stride,
                                            room.data()});
    magnitude.largest_bits = std::max(magnitude.largest_bits, largest_bits);
    store = Store::kAccumulate;
    block_rows = block_rows.subspan(group.size());
    row += rows;
  }
  return magnitude;
}

}  // namespace lockstep::kernels
