// Matrix products, the same bits from every kernel set (kernel_set.h).
//
// Matrices are row-major float32 views with strides, so that a transpose costs nothing:
//   C (M,N) = A (M,K) B (K,N)
#pragma once

#include <cstddef>

#include "kernels/windows.h"

namespace lockstep::kernels {

// A view of rows x cols elements; element (i,j) lies at data[i*row_stride + j*col_stride].
template <typename T>
struct BasicMatrix {
  T* data = nullptr;
  std::size_t rows = 0, cols = 0;
  std::size_t row_stride = 0, col_stride = 1;

  BasicMatrix() = default;
  BasicMatrix(T* d, std::size_t r, std::size_t c) : data(d), rows(r), cols(c), row_stride(c) {}
  BasicMatrix(T* d, std::size_t r, std::size_t c, std::size_t rs, std::size_t cs)
      : data(d), rows(r), cols(c), row_stride(rs), col_stride(cs) {}
  operator BasicMatrix<const T>() const { return {data, rows, cols, row_stride, col_stride}; }

  BasicMatrix transposed() const { return {data, cols, rows, col_stride, row_stride}; }
  BasicMatrix row_range(std::size_t begin, std::size_t count) const {
    return {data + begin * row_stride, count, cols, row_stride, col_stride};
  }
  BasicMatrix col_range(std::size_t begin, std::size_t count) const {
    return {data + begin * col_stride, rows, count, row_stride, col_stride};
  }
  bool empty() const { return rows == 0 || cols == 0; }
};
using Matrix = BasicMatrix<float>;
using ConstMatrix = BasicMatrix<const float>;

enum class Store { kOverwrite, kAccumulate };

// The rule of every product: K is cut into chunks of kChunk; a chunk is one chain of fused multiply-adds in
// the order of k, begun at +0; the chunks' results are added in order, to C's old value where it is
// accumulated into. A result of zero is +0, also where all that underflows is negative.
inline constexpr std::size_t kChunk = 256;

// Some microseconds' work, which is worth waking a thread for.
inline constexpr std::size_t kMultiplicationsOfAThread = std::size_t{1} << 18;

// C = A B, or C += A B. An overwritten C is never read: it may hold NaN. K = 0 is a product of zeros.
// threads: how many OpenMP threads may share the work, each with tiles of C of its own. Less work than
// kMultiplicationsOfAThread for each is shared by fewer.
//
// An element's bits depend on its row of A, its column of B and K alone: not on M, N, the element's place or
// the number of threads.
//
// Throws ShapeError, before writing anything, if the sizes do not fit. C must not overlap A or B. Concurrent
// calls on disjoint C are safe.
void gemm(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads);

// The same with a matrix of windows, whose zeros beyond the images count as K's elements do: a convolution,
// and its weights' gradient. C's rows are contiguous.
void gemm(const Windows& a, ConstMatrix b, Matrix c, Store store, int threads);
void gemm(ConstMatrix a, const Windows& b, Matrix c, Store store, int threads);

}  // namespace lockstep::kernels
