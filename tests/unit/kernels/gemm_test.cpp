// gemm against a triple loop in double, over sizes, layouts and stores.
#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "kernel_sets.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::kAwkwardSizes;
using test::random_floats;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// How a matrix lies in memory: row after row, column after column, rows apart, every number apart.
enum class Layout { kRows, kColumns, kPadded, kScattered };
constexpr Layout kLayouts[] = {Layout::kRows, Layout::kColumns, Layout::kPadded, Layout::kScattered};

// A matrix with memory of its own; what lies between its numbers is `filler`.
struct Stored {
  std::vector<float> memory;
  Matrix view;

  Stored(std::size_t rows, std::size_t cols, Layout layout, float filler) {
    const std::size_t r[] = {cols, 1, cols + 3, 3 * cols + 1}, c[] = {1, rows, 1, 3};
    const auto l = static_cast<std::size_t>(layout);
    memory.assign(rows * cols * 3 + rows * 3 + 1, filler);
    view = Matrix(memory.data(), rows, cols, r[l], c[l]);
  }
  float& at(std::size_t i, std::size_t j) { return view.data[i * view.row_stride + j * view.col_stride]; }
};

Stored stored(const std::vector<float>& numbers, std::size_t rows, std::size_t cols, Layout layout,
              float filler) {
  Stored matrix(rows, cols, layout, filler);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < cols; ++j) matrix.at(i, j) = numbers[i * cols + j];
  return matrix;
}

// A product in double, and the sum of its terms' sizes, which bounds the rounding of any order of summation.
struct Twin {
  std::vector<double> product, sizes;
};

Twin multiply(const std::vector<float>& a, const std::vector<float>& b, std::size_t m, std::size_t n,
              std::size_t k) {
  Twin twin{std::vector<double>(m * n), std::vector<double>(m * n)};
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t p = 0; p < k; ++p) {
      for (std::size_t j = 0; j < n; ++j) {
        const double term = static_cast<double>(a[i * k + p]) * b[p * n + j];
        twin.product[i * n + j] += term;
        twin.sizes[i * n + j] += std::fabs(term);
      }
    }
  }
  return twin;
}

// C is NaN at first where it is overwritten, numbers where it is added to.
void expect_product(const Twin& twin, const Stored& a, const Stored& b, std::size_t n, std::size_t k,
                    Layout layout, Store store, int threads) {
  const std::size_t m = a.view.rows;
  const auto before =
      store == Store::kOverwrite ? std::vector<float>(m * n, kNaN) : random_floats(m * n, 3 * m + n);
  constexpr float kFiller = -77.0F;
  Stored c = stored(before, m, n, layout, kFiller);
  gemm(a.view, b.view, c.view, store, threads);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double old = store == Store::kOverwrite ? 0.0 : before[i * n + j];
      const double bound =
          (twin.sizes[i * n + j] + std::fabs(old)) * static_cast<double>(k + 2) * 0x1p-24 + 1e-40;
      ASSERT_NEAR(c.at(i, j), twin.product[i * n + j] + old, bound) << "element " << i << ", " << j;
      c.at(i, j) = kFiller;
    }
  }
  for (const float x : c.memory) ASSERT_EQ(x, kFiller) << "a number outside C was written";
}
using Gemm = WithEachKernelSet;
LOCKSTEP_EACH_KERNEL_SET(Gemm);

TEST_P(Gemm, IsTheProductAtEverySizeLayoutAndStore) {
  int turn = 0;  // layouts take turns over the sizes
  for (const std::size_t m : kAwkwardSizes) {
    for (const std::size_t n : kAwkwardSizes) {
      for (const std::size_t k : kAwkwardSizes) {
        const auto a = random_floats(m * k, 1 + m), b = random_floats(k * n, 2 + n);
        const Twin twin = multiply(a, b, m, n, k);
        SCOPED_TRACE(testing::Message() << m << " x " << n << " x " << k);
        for (const Store store : {Store::kOverwrite, Store::kAccumulate}) {
          const Layout la = kLayouts[turn % 4], lb = kLayouts[turn / 4 % 4], lc = kLayouts[turn / 16 % 4];
          ++turn;
          // What lies between the numbers of A and B is NaN: it must not be read.
          expect_product(twin, stored(a, m, k, la, kNaN), stored(b, k, n, lb, kNaN), n, k, lc, store, 1);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(Gemm, IsTheProductForEveryCombinationOfLayouts) {
  constexpr std::size_t kM = 65, kN = 21, kK = 63;
  const auto a = random_floats(kM * kK, 1), b = random_floats(kK * kN, 2);
  const Twin twin = multiply(a, b, kM, kN, kK);
  for (const Layout la : kLayouts)
    for (const Layout lb : kLayouts)
      for (const Layout lc : kLayouts)
        for (const Store store : {Store::kOverwrite, Store::kAccumulate})
          expect_product(twin, stored(a, kM, kK, la, kNaN), stored(b, kK, kN, lb, kNaN), kN, kK, lc, store,
                         1);
}

// 1500 and 700 are more than BLIS's blocks along K and M; several threads share the work.
TEST_P(Gemm, IsTheProductBeyondOneBlock) {
  constexpr std::size_t kM = 700, kN = 33, kK = 1500;
  const auto a = random_floats(kM * kK, 1), b = random_floats(kK * kN, 2);
  const Twin twin = multiply(a, b, kM, kN, kK);
  for (const int threads : {1, 2, 3})
    expect_product(twin, stored(a, kM, kK, Layout::kRows, kNaN), stored(b, kK, kN, Layout::kColumns, kNaN),
                   kN, kK, Layout::kRows, Store::kOverwrite, threads);
}

TEST_P(Gemm, WithoutInnerDimensionOverwritesWithZerosAndAddsNothing) {
  std::vector<float> c(6, kNaN);
  gemm(ConstMatrix(nullptr, 2, 0), ConstMatrix(nullptr, 0, 3), Matrix(c.data(), 2, 3), Store::kOverwrite, 1);
  EXPECT_TRUE(test::same_bits(c, std::vector<float>(6, 0.0F)));
  std::vector<float> kept = random_floats(6, 9), sum = kept;
  gemm(ConstMatrix(nullptr, 2, 0), ConstMatrix(nullptr, 0, 3), Matrix(sum.data(), 2, 3), Store::kAccumulate,
       1);
  EXPECT_TRUE(test::same_bits(sum, kept));
}

TEST_P(Gemm, NaNInAnOperandReachesItsRowAndColumnOnly) {
  constexpr std::size_t kN = 21;
  auto a = random_floats(kN * kN, 1);
  const auto b = random_floats(kN * kN, 2);
  a[5 * kN + 7] = kNaN;
  std::vector<float> c(kN * kN);
  gemm(ConstMatrix(a.data(), kN, kN), ConstMatrix(b.data(), kN, kN), Matrix(c.data(), kN, kN),
       Store::kOverwrite, 1);
  for (std::size_t i = 0; i < kN; ++i)
    for (std::size_t j = 0; j < kN; ++j) EXPECT_EQ(std::isnan(c[i * kN + j]), i == 5);
}

TEST_P(Gemm, SizesThatDoNotFitThrowBeforeAnythingIsWritten) {
  const auto a = random_floats(12, 1), b = random_floats(12, 2);
  std::vector<float> c(16, 5.0F);
  const auto multiply_into = [&](std::size_t m, std::size_t k, std::size_t k2, std::size_t n,
                                 std::size_t rows, std::size_t cols) {
    gemm(ConstMatrix(a.data(), m, k), ConstMatrix(b.data(), k2, n), Matrix(c.data(), rows, cols),
         Store::kOverwrite, 1);
  };
  EXPECT_THROW(multiply_into(3, 4, 3, 4, 3, 4), ShapeError);
  EXPECT_THROW(multiply_into(3, 4, 4, 3, 4, 3), ShapeError);
  EXPECT_THROW(multiply_into(3, 4, 4, 3, 3, 4), ShapeError);
  EXPECT_EQ(c, std::vector<float>(16, 5.0F));
}

TEST(BasicMatrix, ViewsAgreeOnTheirElements) {
  const auto memory = random_floats(60, 1);
  const ConstMatrix x(memory.data(), 5, 4, 9, 2);
  const auto at = [](ConstMatrix m, std::size_t i, std::size_t j) {
    return m.data[i * m.row_stride + j * m.col_stride];
  };
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      EXPECT_EQ(at(x, i, j), memory[i * 9 + j * 2]);
      EXPECT_EQ(at(x.transposed(), j, i), at(x, i, j));
    }
  }
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_EQ(at(x.row_range(2, 3), i, j), at(x, i + 2, j));
      EXPECT_EQ(at(x.col_range(1, 3), i, j), at(x, i, j + 1));
    }
  }
}

}  // namespace
}  // namespace lockstep::kernels
