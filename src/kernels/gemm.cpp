#include "kernels/gemm.h"

#include "base/error.h"
#include "kernels/products.h"

namespace lockstep::kernels {

void gemm(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  require(a.rows == c.rows && b.cols == c.cols && a.cols == b.rows, "gemm: the sizes do not fit together");
  if (c.empty()) return;
  if (a.cols > 0) return products_in_use().multiply(a, b, c, store, threads);
  if (store == Store::kAccumulate) return;
  for (std::size_t i = 0; i < c.rows; ++i)
    for (std::size_t j = 0; j < c.cols; ++j) c.data[i * c.row_stride + j * c.col_stride] = 0.0F;
}

}  // namespace lockstep::kernels
