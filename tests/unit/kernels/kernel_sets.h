// Tests of products run with each kernel set of this processor.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "kernels/gemm.h"
#include "kernels/kernel_set.h"

namespace lockstep::kernels {

class WithEachKernelSet : public testing::TestWithParam<KernelSet> {
 protected:
  WithEachKernelSet() { use_kernel_set(GetParam()); }
  ~WithEachKernelSet() override { use_kernel_set(runnable_kernel_sets().front()); }
};

#define LOCKSTEP_EACH_KERNEL_SET(suite)                                            \
  INSTANTIATE_TEST_SUITE_P(With, suite, testing::ValuesIn(runnable_kernel_sets()), \
                           [](const auto& test) { return std::string(name(test.param)); })

// The rule of gemm.h, in plain loops: c = or += a b.
inline void multiply_by_rule(ConstMatrix a, ConstMatrix b, Matrix c, Store store) {
  for (std::size_t i = 0; i < c.rows; ++i) {
    for (std::size_t j = 0; j < c.cols; ++j) {
      float& sum = c.data[i * c.row_stride + j * c.col_stride];
      bool first = store == Store::kOverwrite;
      if (first) sum = 0.0F;
      for (std::size_t begin = 0; begin < a.cols; begin += 256) {
        float chunk = 0.0F;
        for (std::size_t p = begin; p < a.cols && p < begin + 256; ++p)
          chunk = std::fma(a.data[i * a.row_stride + p * a.col_stride],
                           b.data[p * b.row_stride + j * b.col_stride], chunk);
        sum = first ? chunk : sum + chunk;
        first = false;
      }
      if (sum == 0.0F) sum = 0.0F;  // no -0
    }
  }
}

}  // namespace lockstep::kernels
