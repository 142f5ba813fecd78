// The implementations of products, one of which is in use; for the files of this folder.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/fixed_point.h"
#include "kernels/gemm.h"
#include "kernels/windows.h"

namespace lockstep::kernels {

struct Rounding {
  float scale, limit;  // as quantize() takes them
};

// Consecutive blocks of rows of a weight's gradient, see quantize_products().
struct BlockGroup {
  ConstMatrix a, b;
  std::span<const std::size_t> block_rows;
  Rounding rounding;
  Store store;
  std::int32_t* sums;
  std::size_t sums_stride;
  float* scratch;  // quantize_products_scratch() floats
};

// All keep gemm.h's rule.
struct Products {
  // gemm() for positive sizes that fit together.
  void (*multiply)(ConstMatrix a, ConstMatrix b, Matrix c, Store store, int threads);
  // quantize_products() for a group; the bits of the largest |x|.
  std::uint32_t (*quantize_group)(const BlockGroup& group);
  // gemm() with windows, where c's rows are contiguous.
  void (*multiply_windows)(const Windows& a, ConstMatrix b, Matrix c, Store store, int threads);
  void (*multiply_by_windows)(ConstMatrix a, const Windows& b, Matrix c, Store store, int threads);
};

extern const Products kPortableProducts;  // plain loops
extern const Products kBlisProducts;      // BLIS with the kernels that it has for this processor
#ifdef __x86_64__
extern const Products kAvx2Products, kAvx512Products;
#endif

const Products& products_in_use();

// quantize_group for those that have none of their own: multiply, then round.
std::uint32_t quantize_group_by(decltype(Products::multiply) multiply, const BlockGroup& group);

// And products with windows: some of them at a time are copied to a matrix.
void multiply_windows_by(decltype(Products::multiply) multiply, const Windows& a, ConstMatrix b, Matrix c,
                         Store store, int threads);
void multiply_by_windows_by(decltype(Products::multiply) multiply, ConstMatrix a, const Windows& b, Matrix c,
                            Store store, int threads);

}  // namespace lockstep::kernels
