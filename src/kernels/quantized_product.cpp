#include "kernels/quantized_product.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "base/error.h"
#include "base/simd.h"
#include "kernels/products.h"

namespace lockstep::kernels {
namespace {

using BlockRows = std::span<const std::size_t>;

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

// What the widest slots and strips take, see tiled_products.h, or a product by itself.
std::size_t quantize_products_scratch(std::span<const std::size_t> block_rows, std::size_t m, std::size_t n) {
  std::size_t rows = 0;
  for (BlockRows left = block_rows; !left.empty();) {
    const BlockRows group = first_group(left);
    rows = std::max(rows, rows_of(group));
    left = left.subspan(group.size());
  }
  return std::max(m * n, rows * (3 * m / 2 + 144));
}

std::uint32_t quantize_group_by(decltype(Products::multiply) multiply, const BlockGroup& group) {
  const Matrix product(group.scratch, group.a.cols, group.b.cols);
  Magnitude magnitude;
  Store store = group.store;
  std::size_t row = 0;
  for (const std::size_t rows : group.block_rows) {
    if (rows > 0)
      multiply(group.a.row_range(row, rows).transposed(), group.b.row_range(row, rows), product,
               Store::kOverwrite, /*threads=*/1);
    else
      std::fill_n(product.data, product.rows * product.cols, 0.0F);
    const Magnitude of_block =
        quantize(product, group.rounding.scale, group.rounding.limit, store, group.sums, group.sums_stride);
    magnitude.largest_bits = std::max(magnitude.largest_bits, of_block.largest_bits);
    store = Store::kAccumulate;
    row += rows;
  }
  return magnitude.largest_bits;
}

Magnitude quantize_products(ConstMatrix a, ConstMatrix b, std::span<const std::size_t> block_rows,
                            float scale, float limit, Store store, std::int32_t* sums,
                            std::size_t sums_stride, std::span<float> scratch) {
  require(a.col_stride == 1 && b.col_stride == 1, "quantize_products: rows must be contiguous");
  require(a.rows == b.rows && !block_rows.empty() && rows_of(block_rows) == a.rows,
          "quantize_products: the blocks are not those of both matrices");
  require(scratch.size() >= quantize_products_scratch(block_rows, a.cols, b.cols),
          "quantize_products: too little scratch memory");
  Magnitude magnitude;
  if (a.cols == 0 || b.cols == 0) return magnitude;
  std::size_t row = 0;
  while (!block_rows.empty()) {
    const BlockRows group = first_group(block_rows);
    const std::size_t rows = rows_of(group);
    const std::uint32_t largest_bits = products_in_use().quantize_group({a.row_range(row, rows),
                                                                         b.row_range(row, rows),
                                                                         group,
                                                                         {scale, limit},
                                                                         store,
                                                                         sums,
                                                                         sums_stride,
                                                                         scratch.data()});
    magnitude.largest_bits = std::max(magnitude.largest_bits, largest_bits);
    store = Store::kAccumulate;
    block_rows = block_rows.subspan(group.size());
    row += rows;
  }
  return magnitude;
}

Magnitude quantize_products(ConstMatrix a, const Windows& b, std::span<const std::size_t> block_rows,
                            float scale, float limit, Store store, std::int32_t* sums,
                            std::span<float> scratch, int threads) {
  require(a.col_stride == 1, "quantize_products: rows must be contiguous");
  require(a.rows == b.rows && rows_of(block_rows) == a.rows,
          "quantize_products: the blocks are not those of both matrices");
  require(scratch.size() >= a.cols * b.cols, "quantize_products: too little scratch memory");
  const Matrix product(scratch.data(), a.cols, b.cols);
  std::atomic<std::uint32_t> largest_bits = 0;
  std::size_t row = 0;
  for (const std::size_t rows : block_rows) {
    gemm(a.row_range(row, rows).transposed(), b.row_range(row, rows), product, Store::kOverwrite, threads);
    parallel_ranges(product.rows, 1, threads, [&](std::size_t begin, std::size_t end) {
      const Magnitude of_part =
          quantize(product.row_range(begin, end - begin), scale, limit, store, sums + begin * b.cols, b.cols);
      std::uint32_t before = largest_bits;
      while (before < of_part.largest_bits &&
             !largest_bits.compare_exchange_weak(before, of_part.largest_bits)) {
      }
    });
    store = Store::kAccumulate;
    row += rows;
  }
  return {largest_bits};
}

}  // namespace lockstep::kernels
