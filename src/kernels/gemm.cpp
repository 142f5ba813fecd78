#include "kernels/gemm.h"

#include <blis.h>

#include "base/error.h"

namespace lockstep::kernels {

void gemm(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads) {
  require(a.rows == c.rows && b.cols == c.cols && a.cols == b.rows, "gemm: the sizes do not fit together");
  if (c.empty()) return;
  if (a.cols == 0) {
    if (store == Store::kAccumulate) return;
    for (std::size_t i = 0; i < c.rows; ++i)
      for (std::size_t j = 0; j < c.cols; ++j) c.data[i * c.row_stride + j * c.col_stride] = 0.0F;
    return;
  }
  rntm_t runtime;
  bli_rntm_init(&runtime);
  bli_rntm_set_num_threads(threads, &runtime);
  bli_rntm_disable_l3_sup(&runtime);
  float alpha = 1.0F;
  float beta = store == Store::kAccumulate ? 1.0F : 0.0F;
  const auto dim = [](std::size_t n) { return static_cast<dim_t>(n); };
  bli_sgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, dim(c.rows), dim(c.cols), dim(a.cols), &alpha,
               const_cast<float*>(a.data), dim(a.row_stride), dim(a.col_stride), const_cast<float*>(b.data),
               dim(b.row_stride), dim(b.col_stride), &beta, c.data, dim(c.row_stride), dim(c.col_stride),
               nullptr, &runtime);
}

}  // namespace lockstep::kernels
