#include "kernels/gemm.h"

#include "base/error.h"
#include "base/simd.h"
#include "kernels/products.h"

namespace lockstep::kernels {
namespace {

// multiply(a, b, c, ...) where there is something to multiply; a product without terms is zero.
template <typename A, typename B, typename Multiply>
void product(Multiply multiply, const A& a, const B& b, Matrix c, Store store, int threads) {
  require(a.rows == c.rows && b.cols == c.cols && a.cols == b.rows, "gemm: the sizes do not fit together");
  if (c.empty()) return;
  if (a.cols > 0)
    return multiply(a, b, c, store,
                    worthwhile_threads(c.rows * c.cols * a.cols, kMultiplicationsOfAThread, threads));
  if (store == Store::kAccumulate) return;
  for (std::size_t i = 0; i < c.rows; ++i)
    for (std::size_t j = 0; j < c.cols; ++j) c.data[i * c.row_stride + j * c.col_stride] = 0.0F;
}

}  // namespace

void gemm(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  product(products_in_use().multiply, a, b, c, store, threads);
}

void gemm(const Windows& a, ConstMatrix b, Matrix c, Store store, int threads) {
  require(c.col_stride == 1, "gemm: rows must be contiguous");
  require(a.first_row == 0 && a.rows == a.images.count * a.per_image(),
          "gemm: not all windows of the images");
  product(products_in_use().multiply_windows, a, b, c, store, threads);
}

void gemm(ConstMatrix a, const Windows& b, Matrix c, Store store, int threads) {
  require(c.col_stride == 1, "gemm: rows must be contiguous");
  product(products_in_use().multiply_by_windows, a, b, c, store, threads);
}

}  // namespace lockstep::kernels
