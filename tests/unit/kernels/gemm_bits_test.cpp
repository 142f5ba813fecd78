// What the exact mode builds on: an element of a product has the same bits whatever is computed beside it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "kernel_sets.h"
#include "kernels/gemm.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::random_floats;

// A product that was computed whole, by one thread; parts of it are computed again in other ways.
class Product {
 public:
  Product(std::size_t m, std::size_t n, std::size_t k, Store store, std::uint64_t seed)
      : m_(m),
        n_(n),
        k_(k),
        store_(store),
        a_(random_floats(m * k, seed)),
        b_(random_floats(k * n, seed + 1)),
        before_(random_floats(m * n, seed + 2)),
        whole_(before_) {
    gemm(a(), b(), Matrix(whole_.data(), m, n), store_, 1);
  }

  // The part of `rows` rows and `cols` columns from (row, col) on, by `threads` threads. The operands may lie
  // column after column, and so may C.
  void expect_same_part(std::size_t row, std::size_t rows, std::size_t col, std::size_t cols, int threads,
                        bool a_by_columns = false, bool b_by_columns = false,
                        bool c_by_columns = false) const {
    const std::vector<float> a_columns = a_by_columns ? transposed(a_, m_, k_) : std::vector<float>();
    const std::vector<float> b_columns = b_by_columns ? transposed(b_, k_, n_) : std::vector<float>();
    const ConstMatrix left = a_by_columns ? ConstMatrix(a_columns.data(), k_, m_).transposed() : a();
    const ConstMatrix right = b_by_columns ? ConstMatrix(b_columns.data(), n_, k_).transposed() : b();
    std::vector<float> part(rows * cols);
    Matrix c(part.data(), rows, cols);
    if (c_by_columns) c = Matrix(part.data(), cols, rows).transposed();
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < cols; ++j)
        part[i * c.row_stride + j * c.col_stride] = before_[(row + i) * n_ + col + j];
    gemm(left.row_range(row, rows), right.transposed().row_range(col, cols).transposed(), c, store_, threads);
    std::size_t different = 0;
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < cols; ++j)
        different += !test::same_bits({&part[i * c.row_stride + j * c.col_stride], 1},
                                      {&whole_[(row + i) * n_ + col + j], 1});
    EXPECT_EQ(different, 0U) << "of " << rows * cols << " elements: rows " << row << "+" << rows << " of "
                             << m_ << ", columns " << col << "+" << cols << " of " << n_ << ", K " << k_
                             << ", " << threads << " threads, by columns: A " << a_by_columns << ", B "
                             << b_by_columns << ", C " << c_by_columns;
  }

  // The whole and parts of it, cut at random.
  void expect_same_parts(std::mt19937_64& engine) const {
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(engine() % n); };
    const std::size_t i = below(m_), j = below(n_);
    for (const int threads : {2, 3}) expect_same_part(0, m_, 0, n_, threads);
    expect_same_part(0, i, 0, n_, 1);
    expect_same_part(i, m_ - i, 0, n_, 1);
    expect_same_part(0, m_, 0, j, 1);
    expect_same_part(0, m_, j, n_ - j, 1);
    expect_same_part(i, 1, 0, n_, 1);
    expect_same_part(0, m_, j, 1, 1);
    expect_same_part(i, 1, j, 1, 1);
    expect_same_part(i, 1, 0, n_, 2);
    for (int layouts = 1; layouts < 8; ++layouts)
      expect_same_part(0, m_, 0, n_, 1, layouts & 1, layouts & 2, layouts & 4);
    expect_same_part(i, m_ - i, j, n_ - j, 3, below(2), below(2), below(2));
  }

 private:
  ConstMatrix a() const { return {a_.data(), m_, k_}; }
  ConstMatrix b() const { return {b_.data(), k_, n_}; }
  static std::vector<float> transposed(const std::vector<float>& x, std::size_t rows, std::size_t cols) {
    std::vector<float> t(x.size());
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < cols; ++j) t[j * rows + i] = x[i * cols + j];
    return t;
  }

  std::size_t m_, n_, k_;
  Store store_;
  std::vector<float> a_, b_, before_, whole_;
};
using GemmBits = WithEachKernelSet;
LOCKSTEP_EACH_KERNEL_SET(GemmBits);

TEST_P(GemmBits, DependOnlyOnRowAndColumn) {
  std::mt19937_64 engine(20);
  for (std::uint64_t draw = 0; draw < 200; ++draw) {
    const auto size = [&](std::size_t most) { return 1 + static_cast<std::size_t>(engine() % most); };
    const Store store = draw % 2 == 0 ? Store::kOverwrite : Store::kAccumulate;
    const Product product(size(90), size(90), size(draw % 4 == 0 ? 1500 : 200), store, 10 * draw);
    product.expect_same_parts(engine);
    if (HasFailure()) return;
  }
}

// Larger than one of BLIS's blocks along M, along N and along K.
TEST_P(GemmBits, DependOnlyOnRowAndColumnBeyondOneBlock) {
  std::mt19937_64 engine(21);
  for (const auto& [m, n, k] : {std::array<std::size_t, 3>{1100, 9, 130}, {7, 4300, 70}, {33, 65, 3072}}) {
    Product(m, n, k, Store::kOverwrite, m).expect_same_parts(engine);
    Product(m, n, k, Store::kAccumulate, m).expect_same_parts(engine);
  }
}

TEST_P(GemmBits, AreTheSameInConcurrentProducts) {
  constexpr std::size_t kN = 70;
  constexpr int kThreads = 4;
  const auto a = random_floats(kN * kN, 1), b = random_floats(kN * kN, 2);
  std::vector<std::vector<float>> c(kThreads, std::vector<float>(kN * kN));
  for (int repeat = 0; repeat < 20; ++repeat) {
#pragma omp parallel for num_threads(kThreads) schedule(static, 1)
    for (int t = 0; t < kThreads; ++t)
      gemm(ConstMatrix(a.data(), kN, kN), ConstMatrix(b.data(), kN, kN), Matrix(c[t].data(), kN, kN),
           Store::kOverwrite, 1);
    for (int t = 1; t < kThreads; ++t) EXPECT_TRUE(test::same_bits(c[t], c[0]));
  }
}

}  // namespace
}  // namespace lockstep::kernels
