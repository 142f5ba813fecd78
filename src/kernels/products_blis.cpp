// Products by BLIS. Its kernels keep the rule where they are fused multiply-adds (on 64-bit Arm, and for AVX2
// and AVX-512; its older ones for x86-64 and its generic ones are not), with chunks of kChunk, by its
// conventional path: that never splits K between threads, and computes edges with the same kernel. Its
// small-matrix path keeps no such rule, and is off.
#include <blis.h>

#include <algorithm>
#include <utility>

#include "kernels/kernel_set.h"
#include "kernels/products.h"

namespace lockstep::kernels {
namespace {

// BLIS as it is for this processor, with K cut into chunks of kChunk.
const cntx_t* context() {
  static const cntx_t own = [] {
    bli_init();
    cntx_t changed = *bli_gks_query_cntx();
    changed.blkszs[BLIS_KC].v[BLIS_FLOAT] = changed.blkszs[BLIS_KC].e[BLIS_FLOAT] = kChunk;
    return changed;
  }();
  return &own;
}

// One BLIS call on one thread. M, N and K are positive.
void multiply_by_one(ConstMatrix a, ConstMatrix b, Matrix c, Store store) {
  rntm_t runtime;
  bli_rntm_init_from_global(&runtime);  // what BLIS 0.9 and 1.1 both have
  bli_rntm_set_num_threads(1, &runtime);
  bli_rntm_disable_l3_sup(&runtime);
  float alpha = 1.0F;
  float beta = store == Store::kAccumulate ? 1.0F : 0.0F;
  const auto dim = [](std::size_t n) { return static_cast<dim_t>(n); };
  bli_sgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, dim(c.rows), dim(c.cols), dim(a.cols), &alpha,
               const_cast<float*>(a.data), dim(a.row_stride), dim(a.col_stride), const_cast<float*>(b.data),
               dim(b.row_stride), dim(b.col_stride), &beta, c.data, dim(c.row_stride), dim(c.col_stride),
               const_cast<cntx_t*>(context()), &runtime);
  // A zero's sign is another inside than in edge tiles: -0 becomes +0.
  if (c.row_stride == 1) c = c.transposed();
  for (std::size_t i = 0; i < c.rows; ++i)
    for (std::size_t j = 0; j < c.cols; ++j) c.data[i * c.row_stride + j * c.col_stride] += 0.0F;
}

// How C is cut into parts for threads: down x across tiles.
struct Grid {
  std::size_t down = 1, across = 1;
};

// The grid of at most `threads` tiles for which the threads together pack the least: each of `down` tiles
// packs its columns of B, each of `across` its rows of A. Tiles are no smaller than a few of the kernels'
// own.
Grid choose_grid(std::size_t rows, std::size_t cols, int threads) {
  constexpr std::size_t kMinWork = std::size_t{1} << 10;  // elements of C that are worth a thread
  const std::size_t most =
      std::clamp<std::size_t>(rows * cols / kMinWork, 1, static_cast<std::size_t>(threads));
  Grid best;
  for (std::size_t down = 1; down <= most; ++down) {
    const Grid grid{down, most / down};
    if (grid.down > rows || grid.across > cols) continue;
    const auto packed = [&](Grid g) { return g.down * cols + g.across * rows; };
    const std::size_t tiles = grid.down * grid.across, best_tiles = best.down * best.across;
    if (tiles > best_tiles || (tiles == best_tiles && packed(grid) < packed(best))) best = grid;
  }
  return best;
}

// Part `part` of `parts` of 0..n-1, cut at multiples of the kernels' tile height or width.
std::pair<std::size_t, std::size_t> cut(std::size_t n, std::size_t part, std::size_t parts,
                                        std::size_t multiple) {
  const std::size_t units = (n + multiple - 1) / multiple;
  return {std::min(n, units * part / parts * multiple), std::min(n, units * (part + 1) / parts * multiple)};
}

void multiply(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  const Grid grid = choose_grid(c.rows, c.cols, threads);
  const std::size_t tiles = grid.down * grid.across;
  if (tiles == 1) return multiply_by_one(a, b, c, store);
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(tiles))
  for (std::size_t t = 0; t < tiles; ++t) {
    constexpr std::size_t kTileRows = 24, kTileCols = 24;  // multiples of 8 x 12, either way
    const auto [row, row_end] = cut(c.rows, t / grid.across, grid.down, kTileRows);
    const auto [col, col_end] = cut(c.cols, t % grid.across, grid.across, kTileCols);
    if (row == row_end || col == col_end) continue;
    const std::size_t rows = row_end - row, cols = col_end - col;
    multiply_by_one(a.row_range(row, rows), b.col_range(col, cols),
                    c.row_range(row, rows).col_range(col, cols), store);
  }
}

std::uint32_t quantize_group(const BlockGroup& group) { return quantize_group_by(multiply, group); }

void multiply_windows(const Windows& a, ConstMatrix b, Matrix c, Store store, int threads) {
  multiply_windows_by(multiply, a, b, c, store, threads);
}
void multiply_by_windows(ConstMatrix a, const Windows& b, Matrix c, Store store, int threads) {
  multiply_by_windows_by(multiply, a, b, c, store, threads);
}

}  // namespace

std::string blis_version() { return bli_info_get_version_str(); }

const Products kBlisProducts = {multiply, quantize_group, multiply_windows, multiply_by_windows};

}  // namespace lockstep::kernels
