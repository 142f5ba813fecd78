// Products in tiles of registers. Included by one file for each instruction set, after a
// `#pragma GCC target` and the Simd that it describes:
//
//   V            a vector of kLanes floats
//   kRows        rows of a tile: as many as leave registers for a row of b and a number of a, the tile being
//                two vectors wide
//   zero() load(p) load_first(p, n) store(p, v) broadcast(p) add(x, y) multiply_add(x, y, sum)
//   transpose(rows)   kLanes vectors of kLanes floats each, in place
//   round_and_add(sums, x, rounding, add) -> bits of |x|, for quantize()
//
// The product is C (M,N) = A (M,K) B (K,N). Lanes run along N. For each chunk of K and up to kBlockTiles
// tiles of rows, A is copied to slots, a tile's rows each, and then, again and again, a few strips of two
// vectors of B to a panel. Both stay in the second-level cache. Each slot meets the panel's strips in the
// first-level cache. The threads share the slots, and each has panels of its own.
#pragma once

#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/aligned_buffer.h"
#include "kernels/products.h"
#include "kernels/simd.h"

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

// How a slot lies: (rows, k) with rows kChunk floats apart, or (k, rows) with k kLanes floats apart.
enum class Slot { kByRows, kByColumns };

// One chunk's sums of a tile: c (rows, vectors * kLanes) = or += a b, with b a strip (k, kStrip) and c's rows
// `step` apart. Meanwhile c comes into the first-level cache.
template <std::size_t rows, std::size_t vectors, Slot layout>
void tile(std::size_t k, const float* a, const float* b, float* c, std::size_t step, bool add) {
  for (std::size_t i = 0; i < rows; ++i) {
    __builtin_prefetch(c + i * step, 1);
    if (vectors > 1) __builtin_prefetch(c + i * step + kLanes, 1);
  }
  Simd::V sums[rows][vectors];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) sums[i][v] = Simd::zero();
  for (std::size_t p = 0; p < k; ++p, b += kStrip, a += layout == Slot::kByRows ? 1 : kLanes) {
    Simd::V x[vectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) x[v] = Simd::load(b + v * kLanes);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < rows; ++i) {
      const Simd::V factor = Simd::broadcast(a + i * (layout == Slot::kByRows ? kChunk : 1));
#pragma GCC unroll 2
      for (std::size_t v = 0; v < vectors; ++v) sums[i][v] = Simd::multiply_add(factor, x[v], sums[i][v]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) {
      float* const to = c + i * step + v * kLanes;
      Simd::store(to, add ? Simd::add(Simd::load(to), sums[i][v]) : sums[i][v]);
    }
}

using Tile = void (*)(std::size_t, const float*, const float*, float*, std::size_t, bool);
template <std::size_t... rows>
constexpr auto all_tiles(std::index_sequence<rows...>) {
  return std::array<std::array<Tile, 4>, sizeof...(rows)>{
      {{tile<rows + 1, 1, Slot::kByRows>, tile<rows + 1, 2, Slot::kByRows>,
        tile<rows + 1, 1, Slot::kByColumns>, tile<rows + 1, 2, Slot::kByColumns>}...}};
}
constexpr auto kTiles = all_tiles(std::make_index_sequence<Simd::kRows>());

Tile tile_of(std::size_t rows, std::size_t cols, Slot layout) {
  return kTiles[rows - 1][(layout == Slot::kByColumns ? 2U : 0U) + (cols > kLanes ? 1U : 0U)];
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

Slot layout_of(ConstMatrix a) { return a.col_stride == 1 ? Slot::kByRows : Slot::kByColumns; }

// A part of some rows' division into tiles.
struct Tiles {
  std::size_t rows, count;  // of all
  std::size_t begin, end;   // of the part
  std::size_t first_row(std::size_t t) const { return start(rows, t, count); }
  std::size_t height(std::size_t t) const { return first_row(t + 1) - first_row(t); }
};

// Rows of a (M,K) to slots of `slot` floats, a tile's each. By rows they are contiguous, and of one chunk.
void pack_slots(ConstMatrix a, const Tiles& tiles, Slot layout, float* slots, std::size_t slot) {
  const auto first = [&](std::size_t t) { return tiles.first_row(t); };
  if (layout == Slot::kByRows) {
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

// Memory of this thread's own, at least n floats, for the time until it asks again.
float* own_room(AlignedBuffer<float>& room, std::size_t n) {
  if (room.size() < n) room = AlignedBuffer<float>(n);
  return room.data();
}

// c = or += a tile of a product, in whole vectors or, at c's right edge, by way of `edge`.
void store_tile(std::size_t k, const float* slot, Slot layout, const float* strip, Matrix c, bool add) {
  const Tile compute = tile_of(c.rows, c.cols, layout);
  if (c.cols % kLanes == 0) return compute(k, slot, strip, c.data, c.row_stride, add);
  alignas(64) float edge[Simd::kRows * kStrip] = {};
  if (add)
    for (std::size_t i = 0; i < c.rows; ++i)
      std::memcpy(edge + i * kStrip, c.data + i * c.row_stride, c.cols * sizeof(float));
  compute(k, slot, strip, edge, kStrip, add);
  for (std::size_t i = 0; i < c.rows; ++i)
    std::memcpy(c.data + i * c.row_stride, edge + i * kStrip, c.cols * sizeof(float));
}

// Tiles of rows that go together: their slots leave room in a second-level cache of 1 MiB (AVX-512) or half
// of it.
constexpr std::size_t kBlockTiles = 38;

// Clock cycles that the tiles of `tiles` x `vectors` of a product take, with `rows` rows in all: two vectors'
// multiply-adds a cycle, unless they wait for the ones before.
double tile_cycles(std::size_t rows, std::size_t tiles, std::size_t vectors, std::size_t k) {
  constexpr double kLatency = 4.0;
  const double each = static_cast<double>(rows) / static_cast<double>(tiles);
  return static_cast<double>(tiles * k) * (static_cast<double>(vectors / 2) * std::max(each, kLatency) +
                                           static_cast<double>(vectors % 2) * std::max(0.5 * each, kLatency));
}
// And those of packing, an element.
constexpr double kCopyCycles = 0.1, kTransposeCycles = 5.0 / static_cast<double>(kLanes);

// How threads share the work: `down` parts of the tiles, each with all strips, `across` parts of the strips.
struct Grid {
  std::size_t down = 1, across = 1;
};
Grid choose_grid(std::size_t rows, std::size_t cols, std::size_t k, std::size_t threads) {
  const std::size_t tiles = parts_of(rows, Simd::kRows), strips = parts_of(cols, kStrip);
  const auto cycles = [&](Grid grid) {
    const std::size_t own_tiles = parts_of(tiles, grid.down);
    const std::size_t vectors = std::min(2 * parts_of(strips, grid.across), parts_of(cols, kLanes));
    return tile_cycles(parts_of(rows * own_tiles, tiles), own_tiles, vectors, k) +
           kTransposeCycles * static_cast<double>(vectors * kLanes * k);
  };
  Grid best;
  for (std::size_t down = 1; down <= std::min(threads, tiles); ++down) {
    const Grid grid{down, std::min(threads / down, strips)};
    if (cycles(grid) < cycles(best)) best = grid;
  }
  return best;
}

// c = or += the product of one chunk of some rows, in slots, and some columns b (K,N) of it, by tiles.
void multiply_chunk(const float* slots, const Tiles& tiles, Slot layout, ConstMatrix b, Matrix c, bool add) {
  static thread_local AlignedBuffer<float> panel_room;
  constexpr std::size_t kPanel = kPanelStrips * kStrip;
  float* const panel = own_room(panel_room, kPanel * kChunk);
  for (std::size_t first = 0; first < b.cols; first += kPanel) {
    const std::size_t end = std::min(first + kPanel, b.cols);
    pack_strips(b.col_range(first, end - first), panel);
    for (std::size_t t = tiles.begin; t < tiles.end; ++t) {
      const Matrix rows = c.row_range(tiles.first_row(t), tiles.height(t));
      for (std::size_t col = first; col < end; col += kStrip)
        store_tile(b.rows, slots + t * kSlot, layout, panel + (col - first) * b.rows,
                   rows.col_range(col, std::min(kStrip, end - col)), add);
    }
  }
}

// c = or += a b, where c's rows are contiguous.
void multiply_rows(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  static thread_local AlignedBuffer<float> slot_room;
  const std::size_t tiles = parts_of(c.rows, Simd::kRows), strips = parts_of(c.cols, kStrip);
  const std::size_t blocks = parts_of(tiles, kBlockTiles), of_slots = parts_of(tiles, blocks) * kSlot;
  const Slot layout = layout_of(a);
  float* const slots = own_room(slot_room, 2 * of_slots);  // two chunks': a thread may be a chunk ahead
  const auto row = [&](std::size_t t) { return start(c.rows, t, tiles); };

  const auto work = [&](std::size_t thread, std::size_t team) {
    const Grid grid = choose_grid(c.rows, c.cols, a.cols, team);
    const std::size_t down = thread / grid.across, across = thread % grid.across;
    const std::size_t col = start(strips, across, grid.across) * kStrip,
                      col_end = std::min(start(strips, across + 1, grid.across) * kStrip, c.cols);
    float* packed = slots;
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::size_t first = start(tiles, block, blocks), end = start(tiles, block + 1, blocks);
      const std::size_t rows = row(end) - row(first), count = end - first;
      for (std::size_t p = 0; p < a.cols; p += kChunk) {
        const std::size_t k = std::min(kChunk, a.cols - p);
        packed = packed == slots ? slots + of_slots : slots;
        pack_slots(a.row_range(row(first), rows).col_range(p, k),
                   {rows, count, start(count, thread, team), start(count, thread + 1, team)}, layout, packed,
                   kSlot);
        if (team > 1) {
#pragma omp barrier
        }
        if (down < grid.down)
          multiply_chunk(packed,
                         {rows, count, start(count, down, grid.down), start(count, down + 1, grid.down)},
                         layout, b.row_range(p, k).col_range(col, col_end - col),
                         c.row_range(row(first), rows).col_range(col, col_end - col),
                         p > 0 || store == Store::kAccumulate);
      }
    }
  };
  if (threads <= 1) return work(0, 1);
#pragma omp parallel num_threads(threads)
  work(static_cast<std::size_t>(omp_get_thread_num()), static_cast<std::size_t>(omp_get_num_threads()));
}

// to = xᵀ
void transpose(ConstMatrix x, Matrix to, int threads) {
  parallel_ranges(x.rows, kLanes, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; i += kLanes) {
      const ConstMatrix rows = x.row_range(i, std::min(kLanes, end - i));
      if (x.col_stride == 1 && to.col_stride == 1)
        transpose_rows(rows, to.data + i, to.row_stride, rows.rows);
      else
        for (std::size_t r = 0; r < rows.rows; ++r)
          for (std::size_t j = 0; j < x.cols; ++j)
            to.data[j * to.row_stride + (i + r) * to.col_stride] =
                rows.data[r * x.row_stride + j * x.col_stride];
    }
  });
}

// Whether it is quicker to compute cᵀ, whose lanes are c's rows, and to transpose it.
bool better_transposed(ConstMatrix a, ConstMatrix b, Matrix c) {
  const auto cycles = [&](ConstMatrix rows, ConstMatrix cols) {
    return tile_cycles(rows.rows, parts_of(rows.rows, Simd::kRows), parts_of(cols.cols, kLanes), rows.cols) +
           kCopyCycles * static_cast<double>(rows.rows * rows.cols) +
           (cols.col_stride == 1 ? kCopyCycles : kTransposeCycles) *
               static_cast<double>(cols.rows * cols.cols);
  };
  return cycles(b.transposed(), a.transposed()) +
             2.0 * kTransposeCycles * static_cast<double>(c.rows * c.cols) <
         cycles(a, b);
}

void multiply(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  if (c.col_stride != 1 && c.row_stride == 1)
    return multiply(b.transposed(), a.transposed(), c.transposed(), store, threads);
  // Less than this many multiply-adds are not worth another thread.
  constexpr std::size_t kLeastWork = std::size_t{1} << 17;
  const std::size_t most = std::max<std::size_t>(1, c.rows * c.cols * a.cols / kLeastWork);
  threads = static_cast<int>(std::min(static_cast<std::size_t>(std::max(threads, 1)), most));
  if (c.col_stride == 1 && !better_transposed(a, b, c)) return multiply_rows(a, b, c, store, threads);
  static thread_local AlignedBuffer<float> room;
  const std::size_t step = parts_of(c.rows, kStrip) * kStrip;
  const Matrix other(own_room(room, c.cols * step), c.cols, c.rows, step, 1);
  if (store == Store::kAccumulate) transpose(c, other, threads);
  multiply_rows(b.transposed(), a.transposed(), other, store, threads);
  transpose(other, c, threads);
}

// sums = or += a tile's sums, rounded. Returns the bits of the largest of them.
std::uint32_t round_tile(ConstMatrix x, const Rounding& rounding, Store store, std::int32_t* sums,
                         std::size_t step) {
  if (x.cols % kLanes != 0)
    return quantize(x, rounding.scale, rounding.limit, store, sums, step).largest_bits;
  const Simd::Rounder rounder(rounding);
  Simd::Integers largest = Simd::no_bits();
  for (std::size_t i = 0; i < x.rows; ++i)
    for (std::size_t j = 0; j < x.cols; j += kLanes)
      largest = rounder.add(Simd::load(x.data + i * x.row_stride + j), store == Store::kAccumulate,
                            sums + i * step + j, largest);
  return Simd::most(largest);
}

// A tile's part of quantize_group, from (row, col) of the sums on.
std::uint32_t quantize_tile(const BlockGroup& group, const float* slot, const float* strip, std::size_t row,
                            std::size_t height, std::size_t col, std::size_t width) {
  alignas(64) float of_block[Simd::kRows * kStrip];
  const Tile compute = tile_of(height, width, Slot::kByColumns);
  std::int32_t* const sums = group.sums + row * group.sums_stride + col;
  Store store = group.store;
  std::uint32_t largest = 0;
  for (const std::size_t rows : group.block_rows) {
    std::size_t chunk = 0;
    do {
      const std::size_t k = std::min(kChunk, rows - chunk);
      compute(k, slot, strip, of_block, kStrip, chunk > 0);
      slot += k * kLanes;
      strip += k * kStrip;
      chunk += k;
    } while (chunk < rows);
    largest = std::max(largest, round_tile({of_block, height, width, kStrip, 1}, group.rounding, store, sums,
                                           group.sums_stride));
    store = Store::kAccumulate;
  }
  return largest;
}

std::uint32_t quantize_group(const BlockGroup& group) {
  const std::size_t m = group.a.cols, n = group.b.cols, rows = group.a.rows;
  const std::size_t count = parts_of(m, Simd::kRows), slot = rows * kLanes;
  const Tiles tiles{m, count, 0, count};
  const auto slot_of = [&](std::size_t t) { return group.room + t * slot; };
  float* const panel = slot_of(count);
  pack_slots(group.a.transposed(), tiles, Slot::kByColumns, group.room, slot);
  std::uint32_t largest = 0;
  constexpr std::size_t kPanel = kPanelStrips * kStrip;
  for (std::size_t first = 0; first < n; first += kPanel) {
    const std::size_t end = std::min(first + kPanel, n);
    pack_strips(group.b.col_range(first, end - first), panel);
    for (std::size_t t = 0; t < count; ++t)
      for (std::size_t col = first; col < end; col += kStrip)
        largest = std::max(largest,
                           quantize_tile(group, slot_of(t), panel + (col - first) * rows, tiles.first_row(t),
                                         tiles.height(t), col, std::min(kStrip, end - col)));
  }
  return largest;
}

}  // namespace
}  // namespace lockstep::kernels
