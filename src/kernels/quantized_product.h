// A weight's gradient in fixed point: the product of each block of rows, rounded to integers as it leaves the
// registers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/fixed_point.h"
#include "kernels/gemm.h"

namespace lockstep::kernels {

// sums = Q or sums += Q, with Q (M,N) = sum over blocks of quantize(A_blockᵀ B_block), see quantize().
//
// a (rows,M) and b (rows,N) have contiguous rows; block_rows cuts them into blocks, one at least, each of any
// number of rows. sums (M,N) has rows `sums_stride` apart. `scratch`: quantize_products_scratch() floats to
// work in.
//
// A block's element is a product as gemm() computes it, and is rounded by itself. Its bits depend on its
// column of a, its column of b and the block alone.
//
// Throws ShapeError, before writing anything, if the sizes do not fit. Concurrent calls on disjoint sums with
// scratch of their own are safe.
Magnitude quantize_products(ConstMatrix a, ConstMatrix b, std::span<const std::size_t> block_rows,
                            float scale, float limit, Store store, std::int32_t* sums,
                            std::size_t sums_stride, std::span<float> scratch);

// The same for windows of images, the weights of a convolution, where sums is contiguous; by so many OpenMP
// threads. `scratch`: M * N floats.
Magnitude quantize_products(ConstMatrix a, const Windows& b, std::span<const std::size_t> block_rows,
                            float scale, float limit, Store store, std::int32_t* sums,
                            std::span<float> scratch, int threads);

// Floats of scratch memory for such blocks, M and N, and for any that are smaller.
std::size_t quantize_products_scratch(std::span<const std::size_t> block_rows, std::size_t m, std::size_t n);

}  // namespace lockstep::kernels
