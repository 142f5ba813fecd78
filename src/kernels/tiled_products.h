// Products by tiles, for the Simd of the file that includes it, see product_tiles.h.
//
// The product is C (M,N) = A (M,K) B (K,N). Lanes run along N. For each chunk of K and up to kBlockTiles
// tiles of rows, A is copied to slots, a tile's rows each, and then, again and again, a few strips of two
// vectors of B to a panel. Both stay in the second-level cache. Each slot meets the panel's strips in the
// first-level cache. The threads share the slots, and each has panels of its own. Few columns need no slots.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "base/aligned_buffer.h"
#include "base/simd.h"
#include "kernels/product_tiles.h"

namespace lockstep::kernels {
namespace {

// Memory of this thread's own, at least n floats, for the time until it asks again.
float* own_scratch(AlignedBuffer<float>& scratch, std::size_t n) {
  if (scratch.size() < n) scratch = AlignedBuffer<float>(n);
  return scratch.data();
}

// Columns of a panel; and so few that a panel of them all, a chunk high, leaves room in a second-level cache
// of half a MiB.
constexpr std::size_t kPanel = kPanelStrips * kStrip, kFewColumns = 2 * kPanel;

float* own_panel() {
  static thread_local AlignedBuffer<float> scratch;
  return own_scratch(scratch, kFewColumns * kChunk);
}

// c = or += a tile of a product, in whole vectors or, at c's right edge, by way of `edge`.
void store_tile(Runs terms, const TileRows& a, Layout layout, const float* strip, Matrix c, bool add) {
  const Tile compute = tile_of(c.rows, c.cols, layout);
  if (c.cols % kLanes == 0) return compute(terms, a, strip, c.data, c.row_stride, add);
  alignas(64) float edge[Simd::kRows * kStrip] = {};
  if (add)
    for (std::size_t i = 0; i < c.rows; ++i)
      std::memcpy(edge + i * kStrip, c.data + i * c.row_stride, c.cols * sizeof(float));
  compute(terms, a, strip, edge, kStrip, add);
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
void multiply_chunk(const float* slots, const Tiles& tiles, Layout layout, ConstMatrix b, Matrix c,
                    bool add) {
  float* const panel = own_panel();
  const Run terms{0, b.rows, 0};
  for (std::size_t first = 0; first < b.cols; first += kPanel) {
    const std::size_t end = std::min(first + kPanel, b.cols);
    pack_strips(b.col_range(first, end - first), panel);
    for (std::size_t t = tiles.begin; t < tiles.end; ++t) {
      const Matrix rows = c.row_range(tiles.first_row(t), tiles.height(t));
      for (std::size_t col = first; col < end; col += kStrip)
        store_tile({&terms, 1}, {slots + t * kSlot}, layout, panel + (col - first) * b.rows,
                   rows.col_range(col, std::min(kStrip, end - col)), add);
    }
  }
}

// Part `part` of `parts` of some rows comes into the second-level cache.
void fetch_rows(ConstMatrix rows, std::size_t part, std::size_t parts) {
  for (std::size_t i = start(rows.rows, part, parts); i < start(rows.rows, part + 1, parts); ++i)
    for (std::size_t j = 0; j < rows.cols; j += kLanes)
      __builtin_prefetch(rows.data + i * rows.row_stride + j, 0, 2);
}

// multiply_rows for at most kFewColumns, where a's rows are contiguous: each meets so few strips that tiles
// read it where it is. A layer of many weights and few samples.
void multiply_few_columns(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  const std::size_t tiles = parts_of(c.rows, Simd::kRows), strips = parts_of(c.cols, kStrip);
  const auto row = [&](std::size_t t) { return start(c.rows, t, tiles); };
  parallel_ranges(tiles, 1, threads, [&](std::size_t begin, std::size_t end) {
    float* const panel = own_panel();
    for (std::size_t p = 0; p < a.cols; p += kChunk) {
      const std::size_t k = std::min(kChunk, a.cols - p);
      const Run terms{0, k, 0};
      const auto rows_of = [&](std::size_t t) {
        return a.row_range(row(t), row(t + 1) - row(t)).col_range(p, k);
      };
      pack_strips(b.row_range(p, k), panel);
      for (std::size_t t = begin; t < end; ++t) {
        const ConstMatrix rows = rows_of(t), next = rows_of(std::min(t + 1, end - 1));
        for (std::size_t s = 0; s < strips; ++s) {
          const std::size_t col = s * kStrip;
          fetch_rows(next, s, strips);
          store_tile({&terms, 1}, {rows.data, rows.row_stride}, Layout::kByRows, panel + col * k,
                     c.row_range(row(t), rows.rows).col_range(col, std::min(kStrip, c.cols - col)),
                     p > 0 || store == Store::kAccumulate);
        }
      }
    }
  });
}

// c = or += a b, where c's rows are contiguous.
void multiply_rows(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  const std::size_t tiles = parts_of(c.rows, Simd::kRows), strips = parts_of(c.cols, kStrip);
  const bool even = threads <= 1 || tiles >= 4 * static_cast<std::size_t>(threads);
  if (c.cols <= kFewColumns && a.col_stride == 1 && even)
    return multiply_few_columns(a, b, c, store, threads);
  static thread_local AlignedBuffer<float> slot_scratch;
  const std::size_t blocks = parts_of(tiles, kBlockTiles), of_slots = parts_of(tiles, blocks) * kSlot;
  const Layout layout = layout_of(a);
  float* const slots = own_scratch(slot_scratch, 2 * of_slots);  // two chunks': a thread may be a chunk ahead
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

// As many of the threads as are worth it for a product with inner dimension k.
int useful_threads(Matrix c, std::size_t k, int threads) {
  constexpr std::size_t kMinWork = std::size_t{1} << 17;  // multiply-adds
  const std::size_t most = std::max<std::size_t>(1, c.rows * c.cols * k / kMinWork);
  return static_cast<int>(std::min(static_cast<std::size_t>(std::max(threads, 1)), most));
}

void multiply(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  if (c.col_stride != 1 && c.row_stride == 1)
    return multiply(b.transposed(), a.transposed(), c.transposed(), store, threads);
  threads = useful_threads(c, a.cols, threads);
  if (c.col_stride == 1 && !better_transposed(a, b, c)) return multiply_rows(a, b, c, store, threads);
  static thread_local AlignedBuffer<float> scratch;
  const std::size_t step = parts_of(c.rows, kStrip) * kStrip;
  const Matrix other(own_scratch(scratch, c.cols * step), c.cols, c.rows, step, 1);
  if (store == Store::kAccumulate) transpose(c, other, threads);
  multiply_rows(b.transposed(), a.transposed(), other, store, threads);
  transpose(other, c, threads);
}

// A tile's part of quantize_group, from (row, col) of the sums on.
std::uint32_t quantize_tile(const BlockGroup& group, bool long_blocks, const float* slot, const float* strip,
                            std::size_t row, std::size_t height, std::size_t col, std::size_t width) {
  std::int32_t* const sums = group.sums + row * group.sums_stride + col;
  if (width % kLanes == 0 && !long_blocks)
    return kRoundedTiles[height - 1][width / kLanes - 1](group, slot, strip, sums);
  alignas(64) float of_block[Simd::kRows * kStrip];
  const Tile compute = tile_of(height, width, Layout::kByColumns);
  Store store = group.store;
  std::uint32_t largest = 0;
  for (const std::size_t rows : group.block_rows) {
    std::size_t chunk = 0;
    do {
      const std::size_t k = std::min(kChunk, rows - chunk);
      const Run terms{0, k, 0};
      compute({&terms, 1}, {slot}, strip, of_block, kStrip, chunk > 0);
      slot += k * kLanes;
      strip += k * kStrip;
      chunk += k;
    } while (chunk < rows);
    const Magnitude magnitude =
        quantize(ConstMatrix(of_block, height, width, kStrip, 1), group.rounding.scale, group.rounding.limit,
                 store, sums, group.sums_stride);
    largest = std::max(largest, magnitude.largest_bits);
    store = Store::kAccumulate;
  }
  return largest;
}

std::uint32_t quantize_group(const BlockGroup& group) {
  const std::size_t m = group.a.cols, n = group.b.cols, rows = group.a.rows;
  const std::size_t count = parts_of(m, Simd::kRows), slot = rows * kLanes;
  const Tiles tiles{m, count, 0, count};
  const auto slot_of = [&](std::size_t t) { return group.scratch + t * slot; };
  float* const panel = slot_of(count);
  pack_slots(group.a.transposed(), tiles, Layout::kByColumns, group.scratch, slot);
  const bool long_blocks = *std::max_element(group.block_rows.begin(), group.block_rows.end()) > kChunk;
  std::uint32_t largest = 0;
  for (std::size_t first = 0; first < n; first += kPanel) {
    const std::size_t end = std::min(first + kPanel, n);
    pack_strips(group.b.col_range(first, end - first), panel);
    for (std::size_t t = 0; t < count; ++t)
      for (std::size_t col = first; col < end; col += kStrip)
        largest = std::max(
            largest, quantize_tile(group, long_blocks, slot_of(t), panel + (col - first) * rows,
                                   tiles.first_row(t), tiles.height(t), col, std::min(kStrip, end - col)));
  }
  return largest;
}

}  // namespace
}  // namespace lockstep::kernels
