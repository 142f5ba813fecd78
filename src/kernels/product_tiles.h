// Tiles of products in registers, and what they read packed for them. Included by one file for each
// instruction set, behind a target pragma and the Simd that it describes:
//
//   V            a vector of kLanes floats
//   kRows        rows of a tile: as many as leave registers for a row of b and an element of a, with
//                tiles of two vectors' width
//   zero() load(p) load_first(p, n) store(p, v) broadcast(p) add(x, y) multiply_add(x, y, sum)
//   transpose(rows)   kLanes vectors of kLanes floats each, in place
//   Integers     no_bits() most(bits): the largest bits of |x| so far, of each lane
//   Rounder      add(x, accumulate, sums, largest): rounds as quantize() does
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "kernels/products.h"
#include "kernels/window_terms.h"

namespace lockstep::kernels {
namespace {

constexpr std::size_t kLanes = Simd::kLanes, kStrip = 2 * kLanes;
constexpr std::size_t kPanelStrips = 4;         // that are packed together
constexpr std::size_t kAhead = 8;               // rows that are fetched while others are copied
constexpr std::size_t kSlot = kLanes * kChunk;  // floats of a slot: at most kLanes rows of a chunk
static_assert(Simd::kRows <= kLanes);

constexpr std::size_t parts_of(std::size_t n, std::size_t size) { return (n + size - 1) / size; }

// Where part `part` of `parts` of 0..n-1 begins; their sizes differ by one at most.
constexpr std::size_t start(std::size_t n, std::size_t part, std::size_t parts) { return n * part / parts; }

// How a tile's rows of a lie: kByRows, each contiguous, `step` floats apart; or kByColumns, (k, rows) with k
// kLanes floats apart. In a slot the step is kChunk.
enum class Layout { kByRows, kByColumns };

// A tile's sums, in registers.
template <std::size_t rows, std::size_t vectors>
using Sums = Simd::V[rows][vectors];

template <std::size_t rows, std::size_t vectors>
inline __attribute__((always_inline)) void begin_chains(Sums<rows, vectors>& sums) {
#pragma GCC unroll 16
  for (std::size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) sums[i][v] = Simd::zero();
}

// sums += a b, each a chain of k terms, with b a strip (k, kStrip).
template <std::size_t rows, std::size_t vectors, Layout layout>
inline __attribute__((always_inline)) void add_terms(std::size_t k, const float* a, std::size_t step,
                                                     const float* b, Sums<rows, vectors>& sums) {
  for (std::size_t p = 0; p < k; ++p, b += kStrip, a += layout == Layout::kByRows ? 1 : kLanes) {
    Simd::V x[vectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) x[v] = Simd::load(b + v * kLanes);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < rows; ++i) {
      const Simd::V factor = Simd::broadcast(a + i * (layout == Layout::kByRows ? step : 1));
#pragma GCC unroll 2
      for (std::size_t v = 0; v < vectors; ++v) sums[i][v] = Simd::multiply_add(factor, x[v], sums[i][v]);
    }
  }
}

// Memory that a tile will write, `step` elements from row to row, comes into the first-level cache meanwhile.
template <std::size_t rows, std::size_t vectors, typename T>
inline __attribute__((always_inline)) void fetch_to_write(const T* to, std::size_t step) {
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t v = 0; v < vectors; ++v) __builtin_prefetch(to + i * step + v * kLanes, 1);
}

// Rows of a for a tile.
struct TileRows {
  const float* data;
  std::size_t step = kChunk;
};

// A chunk's terms of a tile: c (rows, vectors * kLanes) = or += a b, with c's rows `c_step` apart. Meanwhile
// c comes into the first-level cache.
template <std::size_t rows, std::size_t vectors, Layout layout>
void tile(Runs terms, const TileRows& a, const float* strip, float* c, std::size_t c_step, bool add) {
  fetch_to_write<rows, vectors>(c, c_step);
  Sums<rows, vectors> sums;
  begin_chains<rows, vectors>(sums);
  for (const Run& run : terms)
    add_terms<rows, vectors, layout>(run.count,
                                     a.data + run.source * (layout == Layout::kByRows ? 1 : kLanes), a.step,
                                     strip + run.first * kStrip, sums);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) {
      float* const to = c + i * c_step + v * kLanes;
      const Simd::V sum = add ? Simd::add(Simd::load(to), sums[i][v]) : sums[i][v];
      Simd::store(to, Simd::add(sum, Simd::zero()));  // -0 becomes +0
    }
}

// The sums of a tile's blocks, none longer than a chunk, rounded as they leave the registers:
// quantize_group() of a slot by columns and a strip, to the group's sums from `to` on.
template <std::size_t rows, std::size_t vectors>
std::uint32_t rounded_tile(const BlockGroup& group, const float* a, const float* b, std::int32_t* to) {
  fetch_to_write<rows, vectors>(to, group.sums_stride);
  const Simd::Rounder rounder(group.rounding);
  Simd::Integers largest = Simd::no_bits();
  bool add = group.store == Store::kAccumulate;
  for (const std::size_t k : group.block_rows) {
    Sums<rows, vectors> sums;
    begin_chains<rows, vectors>(sums);
    add_terms<rows, vectors, Layout::kByColumns>(k, a, kLanes, b, sums);
    a += k * kLanes;
    b += k * kStrip;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
      for (std::size_t v = 0; v < vectors; ++v)
        largest = rounder.add(sums[i][v], add, to + i * group.sums_stride + v * kLanes, largest);
    add = true;
  }
  return Simd::most(largest);
}

using Tile = void (*)(Runs, const TileRows&, const float*, float*, std::size_t, bool);
template <std::size_t... rows>
constexpr auto all_tiles(std::index_sequence<rows...>) {
  return std::array<std::array<Tile, 4>, sizeof...(rows)>{
      {{tile<rows + 1, 1, Layout::kByRows>, tile<rows + 1, 2, Layout::kByRows>,
        tile<rows + 1, 1, Layout::kByColumns>, tile<rows + 1, 2, Layout::kByColumns>}...}};
}
constexpr auto kTiles = all_tiles(std::make_index_sequence<Simd::kRows>());

using RoundedTile = std::uint32_t (*)(const BlockGroup&, const float*, const float*, std::int32_t*);
template <std::size_t... rows>
constexpr auto all_rounded_tiles(std::index_sequence<rows...>) {
  return std::array<std::array<RoundedTile, 2>, sizeof...(rows)>{
      {{rounded_tile<rows + 1, 1>, rounded_tile<rows + 1, 2>}...}};
}
constexpr auto kRoundedTiles = all_rounded_tiles(std::make_index_sequence<Simd::kRows>());

Tile tile_of(std::size_t rows, std::size_t cols, Layout layout) {
  return kTiles[rows - 1][(layout == Layout::kByColumns ? 2U : 0U) + (cols > kLanes ? 1U : 0U)];
}

// to (cols, `stored`) with rows `step` apart = the transpose of x (rows, cols), whose rows are contiguous;
// zeros beyond the last of them. rows and stored are at most kLanes.
void transpose_rows(ConstMatrix x, float* to, std::size_t step, std::size_t stored = kLanes) {
  for (std::size_t j = 0; j < x.cols; j += kLanes) {
    const std::size_t cols = std::min(kLanes, x.cols - j);
    Simd::V block[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i)
      block[i] = i >= x.rows      ? Simd::zero()
                 : cols == kLanes ? Simd::load(x.data + i * x.row_stride + j)
                                  : Simd::load_first(x.data + i * x.row_stride + j, cols);
    Simd::transpose(block);
    for (std::size_t i = 0; i < cols; ++i) {
      if (stored == kLanes)
        Simd::store(to + (j + i) * step, block[i]);
      else
        Simd::store_first(to + (j + i) * step, block[i], stored);
    }
  }
}

void copy_first(const float* from, std::size_t n, float* to) {
  Simd::store(to, n == kLanes ? Simd::load(from) : Simd::load_first(from, n));
}

// Strips (K, kStrip) of b's columns, one after another; zeros beyond the last column, up to the end of its
// vector. Where rows are contiguous they are read a few strips at a time, and those that follow are fetched
// ahead.
void pack_strips(ConstMatrix b, float* strips) {
  const auto place = [&](std::size_t p, std::size_t j) {
    return strips + (j - j % kStrip) * b.rows + p * kStrip + j % kStrip;
  };
  const auto width = [&](std::size_t j) { return std::min(kLanes, b.cols - j); };
  if (b.col_stride == 1) {
    for (std::size_t p = 0; p < b.rows; ++p) {
      const float* const row = b.data + p * b.row_stride;
      for (std::size_t j = 0; j < b.cols; j += kLanes) {
        if (p + kAhead < b.rows) __builtin_prefetch(row + kAhead * b.row_stride + j);
        copy_first(row + j, width(j), place(p, j));
      }
    }
    return;
  }
  for (std::size_t j = 0; j < b.cols; j += kLanes) {
    const ConstMatrix vector = b.col_range(j, width(j));
    if (b.row_stride == 1) {
      transpose_rows(vector.transposed(), place(0, j), kStrip);
      continue;
    }
    for (std::size_t p = 0; p < b.rows; ++p) {
      Simd::store(place(p, j), Simd::zero());
      for (std::size_t l = 0; l < vector.cols; ++l)
        place(p, j)[l] = vector.data[p * b.row_stride + l * b.col_stride];
    }
  }
}

Layout layout_of(ConstMatrix a) { return a.col_stride == 1 ? Layout::kByRows : Layout::kByColumns; }

// A part of some rows' division into tiles.
struct Tiles {
  std::size_t rows, count;  // of all
  std::size_t begin, end;   // of the part
  std::size_t first_row(std::size_t t) const { return start(rows, t, count); }
  std::size_t height(std::size_t t) const { return first_row(t + 1) - first_row(t); }
};

// Rows of a (M,K) to slots of `slot` floats, a tile's each. By rows they are contiguous, and of one chunk.
void pack_slots(ConstMatrix a, const Tiles& tiles, Layout layout, float* slots, std::size_t slot) {
  const auto first = [&](std::size_t t) { return tiles.first_row(t); };
  if (layout == Layout::kByRows) {
    for (std::size_t t = tiles.begin; t < tiles.end; ++t)
      for (std::size_t i = first(t); i < first(t + 1); ++i)
        std::memcpy(slots + t * slot + (i - first(t)) * kChunk, a.data + i * a.row_stride,
                    a.cols * sizeof(float));
    return;
  }
  constexpr std::size_t kTilesAtATime = 8;
  for (std::size_t begin = tiles.begin; begin < tiles.end; begin += kTilesAtATime) {
    const std::size_t end = std::min(begin + kTilesAtATime, tiles.end);
    for (std::size_t p = 0; p < a.cols; ++p) {
      const float* const column = a.data + p * a.col_stride;
      for (std::size_t t = begin; t < end; ++t) {
        float* const to = slots + t * slot + p * kLanes;
        if (a.row_stride == 1) {
          if (p + kAhead < a.cols) __builtin_prefetch(column + kAhead * a.col_stride + first(t));
          copy_first(column + first(t), tiles.height(t), to);
        } else {
          for (std::size_t i = first(t); i < first(t + 1); ++i) to[i - first(t)] = column[i * a.row_stride];
        }
      }
    }
  }
}

}  // namespace
}  // namespace lockstep::kernels
