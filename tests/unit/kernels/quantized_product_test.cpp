// Weight gradients in fixed point, against one product and one rounding a block.
#include "kernels/quantized_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "kernel_sets.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::random_floats;
using Rows = std::vector<std::size_t>;

constexpr float kScale = 0x1p12F, kLimit = 0x1p24F;

std::size_t total(const Rows& rows) { return std::accumulate(rows.begin(), rows.end(), std::size_t{0}); }

// a (rows, m) and b (rows, n) as parts of wider matrices, and sums (m, n) within rows of `stride`.
struct Problem {
  Problem(Rows blocks, std::size_t m_, std::size_t n_)
      : block_rows(std::move(blocks)),
        m(m_),
        n(n_),
        stride(n + 3),
        a_numbers(random_floats(total(block_rows) * (m + 2), 1)),
        b_numbers(random_floats(total(block_rows) * (n + 5), 2)) {}

  ConstMatrix a() const { return {a_numbers.data(), total(block_rows), m, m + 2, 1}; }
  ConstMatrix b() const { return {b_numbers.data(), total(block_rows), n, n + 5, 1}; }
  std::vector<std::int32_t> before() const { return std::vector<std::int32_t>(m * stride + 1, -77); }

  // The product of some rows.
  std::vector<float> product(std::size_t begin, std::size_t rows) const {
    std::vector<float> c(m * n);
    multiply_by_rule(a().row_range(begin, rows).transposed(), b().row_range(begin, rows),
                     Matrix(c.data(), m, n), Store::kOverwrite);
    return c;
  }
  Rows block_rows;
  std::size_t m, n, stride;
  std::vector<float> a_numbers, b_numbers;
};

struct Result {
  std::vector<std::int32_t> sums;
  std::uint32_t largest_bits = 0;
};

Result computed(const Problem& problem, Store store) {
  Result result{problem.before()};
  std::vector<float> scratch(quantize_products_scratch(problem.block_rows, problem.m, problem.n));
  result.largest_bits = quantize_products(problem.a(), problem.b(), problem.block_rows, kScale, kLimit, store,
                                          result.sums.data(), problem.stride, scratch)
                            .largest_bits;
  return result;
}

template <typename ProductOfRows>
Result expected(const Problem& problem, Store store, ProductOfRows&& product) {
  Result result{problem.before()};
  std::size_t row = 0;
  for (const std::size_t rows : problem.block_rows) {
    const std::vector<float> c = product(row, rows);
    const Magnitude magnitude = quantize(ConstMatrix(c.data(), problem.m, problem.n), kScale, kLimit, store,
                                         result.sums.data(), problem.stride);
    result.largest_bits = std::max(result.largest_bits, magnitude.largest_bits);
    store = Store::kAccumulate;
    row += rows;
  }
  return result;
}
using QuantizedProducts = WithEachKernelSet;
LOCKSTEP_EACH_KERNEL_SET(QuantizedProducts);

TEST_P(QuantizedProducts, AreTheRoundedProductsOfTheBlocks) {
  for (const Rows& blocks : {Rows{1}, Rows{0}, Rows{5, 0, 3}, Rows{64, 64, 17}, Rows{200, 100, 256, 1}}) {
    for (const std::size_t m : {1, 5, 6, 7, 12, 13, 29}) {
      for (const std::size_t n : {1, 15, 16, 17, 32, 33, 70}) {
        const Problem problem(blocks, m, n);
        for (const Store store : {Store::kOverwrite, Store::kAccumulate}) {
          const auto product = [&](std::size_t row, std::size_t rows) { return problem.product(row, rows); };
          const Result want = expected(problem, store, product), got = computed(problem, store);
          EXPECT_EQ(got.sums, want.sums) << m << " x " << n << ", " << blocks.size() << " blocks";
          EXPECT_EQ(got.largest_bits, want.largest_bits) << m << " x " << n;
        }
      }
    }
  }
}

TEST_P(QuantizedProducts, OfALongBlockAreChainsOf256Rows) {
  for (const Rows& blocks : {Rows{300}, Rows{20, 700, 20}, Rows{512, 769}}) {
    const Problem problem(blocks, 13, 35);
    const Result got = computed(problem, Store::kOverwrite);
    const Result want = expected(problem, Store::kOverwrite, [&](std::size_t row, std::size_t rows) {
      return problem.product(row, rows);
    });
    EXPECT_EQ(got.sums, want.sums);
    EXPECT_EQ(got.largest_bits, want.largest_bits);
  }
}

TEST_P(QuantizedProducts, DoNotDependOnWhatElseIsComputed) {
  const Problem problem({40, 300, 7}, 50, 90);
  const Result whole = computed(problem, Store::kOverwrite);
  std::vector<std::int32_t> parts = problem.before();
  std::vector<float> scratch(quantize_products_scratch(problem.block_rows, problem.m, problem.n));
  for (const auto& [i, rows] : {std::pair<std::size_t, std::size_t>{0, 5}, {5, 44}, {49, 1}})
    for (const auto& [j, cols] : {std::pair<std::size_t, std::size_t>{0, 33}, {33, 50}, {83, 7}})
      quantize_products(problem.a().col_range(i, rows), problem.b().col_range(j, cols), problem.block_rows,
                        kScale, kLimit, Store::kOverwrite, parts.data() + i * problem.stride + j,
                        problem.stride, scratch);
  EXPECT_EQ(parts, whole.sums);
}

TEST_P(QuantizedProducts, ClampWhatDoesNotFitAndReportIt) {
  for (const float value : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                            3e38F, std::nanf("")}) {
    for (std::size_t place = 0; place < 20; ++place) {
      Problem problem({3, 2}, 20, 20);
      for (float& x : problem.b_numbers) x = 1.0F;
      problem.a_numbers[4 * (problem.m + 2) + place] = value;  // of the last row
      const Result got = computed(problem, Store::kOverwrite);
      EXPECT_EQ(Magnitude{got.largest_bits}.finite(), value == 3e38F) << value;
      for (std::size_t i = 0; i < problem.m; ++i) {
        for (std::size_t j = 0; j < problem.n; ++j) {
          const std::int32_t sum = got.sums[i * problem.stride + j];
          const auto limit = static_cast<std::int32_t>(kLimit),
                     of_others = static_cast<std::int32_t>(4 * kScale);
          if (i != place)
            EXPECT_LE(std::abs(sum), 2 * of_others);
          else
            EXPECT_NEAR(sum, value < 0.0F ? -limit : limit, of_others) << value;
        }
      }
    }
  }
}

TEST_P(QuantizedProducts, RefuseWhatDoesNotFitTogether) {
  const Problem problem({4, 4}, 3, 3);
  std::vector<std::int32_t> sums = problem.before();
  std::vector<float> scratch(quantize_products_scratch(problem.block_rows, problem.m, problem.n));
  const auto with = [&](ConstMatrix a, ConstMatrix b, const Rows& rows) {
    quantize_products(a, b, rows, kScale, kLimit, Store::kOverwrite, sums.data(), problem.stride, scratch);
  };
  EXPECT_THROW(with(problem.a(), problem.b(), {4, 3}), ShapeError);
  EXPECT_THROW(with(problem.a(), problem.b(), {}), ShapeError);
  EXPECT_THROW(with(problem.a(), problem.b().row_range(0, 7), {4, 4}), ShapeError);
  EXPECT_THROW(with(problem.a().transposed(), problem.b(), {3}), ShapeError);
  scratch.pop_back();
  EXPECT_THROW(with(problem.a(), problem.b(), problem.block_rows), ShapeError);
  EXPECT_EQ(sums, problem.before());
}

}  // namespace
}  // namespace lockstep::kernels
