// Sums, checks and row broadcasts against plain loops.
#include "kernels/arrays.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::kAwkwardSizes;
using test::random_floats;

constexpr std::size_t kGap = 3;  // between rows

TEST(AddBias, AddsTheBiasToEveryRowAndNothingElse) {
  std::vector<std::size_t> sizes(std::begin(kAwkwardSizes), std::end(kAwkwardSizes));
  sizes.push_back(257);  // 257 x 257 are several threads' work
  for (const std::size_t rows : sizes) {
    for (const std::size_t cols : sizes) {
      for (const int threads : {1, 3}) {
        const auto before = random_floats(rows * (cols + kGap), 1), bias = random_floats(cols, 2);
        auto x = before;
        add_bias(Matrix(x.data(), rows, cols, cols + kGap, 1), bias, threads);
        auto expected = before;
        for (std::size_t i = 0; i < rows; ++i)
          for (std::size_t j = 0; j < cols; ++j) expected[i * (cols + kGap) + j] += bias[j];
        EXPECT_TRUE(test::same_bits(x, expected)) << rows << " x " << cols;
      }
    }
  }
}

// 256 rows at a time in index order: the sums are those of plain loops in float, bit for bit.
TEST(AddColumnSums, AddsRowsInTheirOrder) {
  std::vector<std::size_t> sizes(std::begin(kAwkwardSizes), std::end(kAwkwardSizes));
  sizes.insert(sizes.end(), {256, 257, 700});
  for (const std::size_t rows : sizes) {
    for (const std::size_t cols : kAwkwardSizes) {
      const auto x = random_floats(rows * (cols + kGap), 3);
      auto sums = random_floats(cols, 4), expected = sums;
      add_column_sums(ConstMatrix(x.data(), rows, cols, cols + kGap, 1), sums);
      for (std::size_t begin = 0; begin < rows; begin += 256) {
        std::vector<float> chunk(cols);
        for (std::size_t i = begin; i < std::min<std::size_t>(begin + 256, rows); ++i)
          for (std::size_t j = 0; j < cols; ++j) chunk[j] += x[i * (cols + kGap) + j];
        for (std::size_t j = 0; j < cols; ++j) expected[j] += chunk[j];
      }
      EXPECT_TRUE(test::same_bits(sums, expected)) << rows << " x " << cols;
    }
  }
}

TEST(AddBiasAndColumnSums, RefuseShapesThatDoNotFit) {
  std::vector<float> x(12), y(3);
  EXPECT_THROW(add_bias(Matrix(x.data(), 3, 4), y, 1), ShapeError);
  EXPECT_THROW(add_column_sums(ConstMatrix(x.data(), 3, 4), y), ShapeError);
  EXPECT_THROW(add_bias(Matrix(x.data(), 4, 3).transposed(), y, 1), ShapeError);
}

TEST(SumOfSquares, IsTheSumAtEverySize) {
  for (const std::size_t n : {0, 1, 7, 8, 9, 21, 63, 64, 65, 65535, 65536, 65537, 200001}) {
    const auto x = random_floats(n, n, 3.0F);
    long double exact = 0.0L;
    for (const float value : x) exact += static_cast<long double>(value) * value;
    EXPECT_NEAR(sum_of_squares(x, 1), static_cast<double>(exact), 1e-12 * static_cast<double>(exact)) << n;
  }
}

TEST(SumOfSquares, DoesNotDependOnThreads) {
  const auto x = random_floats(300001, 5);
  const double one = sum_of_squares(x, 1);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(sum_of_squares(x, threads), one);
}

TEST(AllFinite, FindsOneBadNumberAnywhere) {
  for (const std::size_t n : kAwkwardSizes) {
    auto x = random_floats(n, 6, 3e38F);
    EXPECT_TRUE(all_finite(x));
    for (std::size_t i = 0; i < n; ++i) {
      const float before = x[i];
      for (const float bad : {std::nanf(""), -std::nanf(""), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
        x[i] = bad;
        EXPECT_FALSE(all_finite(x)) << bad << " at " << i << " of " << n;
      }
      x[i] = before;
    }
  }
}

TEST(AllFinite, FindsABadNumberInEveryThreadsPart) {
  auto x = random_floats(70001, 7);
  for (const int threads : {1, 2, 3}) {
    EXPECT_TRUE(all_finite(x, threads));
    for (const std::size_t place :
         {std::size_t{0}, std::size_t{16383}, std::size_t{40000}, std::size_t{70000}}) {
      const float before = x[place];
      x[place] = std::nanf("");
      EXPECT_FALSE(all_finite(x, threads)) << place;
      x[place] = before;
    }
  }
}

TEST(AllFinite, HoldsForTheLargestAndSmallestFloats) {
  EXPECT_TRUE(
      all_finite(std::vector<float>{std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest(),
                                    1e-45F, -1e-45F, 0.0F, -0.0F}));
}

TEST(LargestMagnitude, IsThatOfEitherSignAndOfNoNaN) {
  EXPECT_EQ(largest_magnitude(std::vector<float>{}), 0.0);
  EXPECT_EQ(largest_magnitude(std::vector<float>{1.0F, -3.0F, 2.0F}), 3.0);
  EXPECT_EQ(largest_magnitude(std::vector<float>{std::nanf(""), 2.0F, std::nanf("")}), 2.0);
}

}  // namespace
}  // namespace lockstep::kernels
