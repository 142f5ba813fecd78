// Every implementation of products against the rule in plain loops, bit for bit.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <limits>
#include <random>

#include "kernel_sets.h"
#include "kernels/products.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::random_floats;
using Floats = std::vector<float>;

struct Implementation {
  const char* name;
  const Products* products;
};

std::vector<Implementation> implementations() {
  std::vector<Implementation> all = {{"portable", &kPortableProducts}};
#ifdef __x86_64__
  for (const KernelSet set : runnable_kernel_sets()) {
    if (set == KernelSet::kAvx512) all.push_back({"avx512", &kAvx512Products});
    if (set != KernelSet::kAvx2) continue;
    all.push_back({"avx2", &kAvx2Products});
    ::setenv("BLIS_ARCH_TYPE", "3",
             1);  // haswell: BLIS would go by the processor's name, which it may not know
    all.push_back({"BLIS", &kBlisProducts});
  }
#else
  all.push_back({"BLIS", &kBlisProducts});
#endif
  return all;
}

// How a matrix lies in memory: row after row, column after column, rows apart, every number apart.
struct Operand {
  Operand(std::size_t rows, std::size_t cols, int layout) {
    const std::size_t row_strides[] = {cols, 1, cols + 3, 3 * cols + 1}, col_strides[] = {1, rows, 1, 3};
    memory.assign(rows * cols * 3 + rows * 3 + 1, std::numeric_limits<float>::quiet_NaN());
    view = Matrix(memory.data(), rows, cols, row_strides[layout], col_strides[layout]);
  }
  void fill(const Floats& numbers) {
    for (std::size_t i = 0; i < view.rows; ++i)
      for (std::size_t j = 0; j < view.cols; ++j)
        view.data[i * view.row_stride + j * view.col_stride] = numbers[i * view.cols + j];
  }
  Floats memory;
  Matrix view;
};

bool same(float x, float y) { return (std::isnan(x) && std::isnan(y)) || test::same_bits({&x, 1}, {&y, 1}); }

struct Shape {
  std::size_t m, n, k;
};

// All implementations with all numbers of threads; layouts and stores as `turn` says.
void expect_rule(const Shape& shape, const Floats& a_numbers, const Floats& b_numbers, const Floats& before,
                 int turn) {
  const auto& [m, n, k] = shape;
  Operand a(m, k, turn % 4), b(k, n, turn / 4 % 4);
  a.fill(a_numbers);
  b.fill(b_numbers);
  const int layout = turn / 16 % 4;
  const Store store = turn / 64 % 2 == 0 ? Store::kOverwrite : Store::kAccumulate;
  Floats want = before;
  multiply_by_rule(a.view, b.view, Matrix(want.data(), m, n), store);
  static const std::vector<Implementation> all = implementations();
  for (const Implementation& implementation : all) {
    for (const int threads : {1, 2, 3}) {
      Operand c(m, n, layout);
      if (store == Store::kAccumulate) c.fill(before);
      implementation.products->multiply(a.view, b.view, c.view, store, threads);
      std::size_t different = 0;
      for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j)
          different += !same(c.view.data[i * c.view.row_stride + j * c.view.col_stride], want[i * n + j]);
      ASSERT_EQ(different, 0U) << implementation.name << ", " << m << " x " << n << " x " << k << ", layouts "
                               << turn % 4 << turn / 4 % 4 << layout << ", " << threads << " threads";
    }
  }
}

void expect_rule_of_random_numbers(const Shape& shape, int turn) {
  const auto& [m, n, k] = shape;
  expect_rule(shape, random_floats(m * k, 1), random_floats(k * n, 2), random_floats(m * n, 3), turn);
}

TEST(ProductRule, IsKeptAtEveryAwkwardSize) {
  int turn = 0;
  for (const std::size_t m : {1, 5, 6, 7, 12, 13, 14, 15, 16, 17, 31, 33, 64, 65})
    for (const std::size_t n : {1, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 63, 65})
      for (const std::size_t k : {1, 2, 17, 255, 257}) {
        expect_rule_of_random_numbers({m, n, k}, turn);
        turn += 7;  // prime to their number
        if (HasFatalFailure()) return;
      }
}

TEST(ProductRule, IsKeptForEveryCombinationOfLayoutsAndStores) {
  for (int turn = 0; turn < 128; ++turn)
    for (const Shape& shape : {Shape{17, 33, 300}, {40, 5, 19}, {3, 70, 260}}) {
      expect_rule_of_random_numbers(shape, turn);
      if (HasFatalFailure()) return;
    }
}

TEST(ProductRule, IsKeptOverManyChunksAndBlocks) {
  int turn = 0;
  for (const std::size_t k : {256, 511, 512, 513, 769, 3072})
    expect_rule_of_random_numbers({16, 33, k}, ++turn);
  for (const Shape& shape :
       {Shape{1100, 9, 130}, {7, 1300, 270}, {600, 70, 520}, {70, 600, 520}, {300, 250, 520}})
    expect_rule_of_random_numbers(shape, turn += 16);
}

// A layer's weights, row after row, times few samples: as many as tiles read weights for where these are.
TEST(ProductRule, IsKeptForFewColumns) {
  for (const std::size_t n : {1, 15, 33, 65, 120, 128, 129, 250, 256, 257})
    for (const int store : {0, 64})  // layouts: rows, columns, rows
      for (const Shape& shape : {Shape{300, n, 520}, {40, n, 257}, {13, n, 19}}) {
        expect_rule_of_random_numbers(shape, 4 + store);
        if (HasFatalFailure()) return;
      }
}

// Infinities, NaN and zeros of both signs anywhere; and terms and sums below the smallest normal number.
TEST(ProductRule, IsKeptForUnusualNumbers) {
  const float unusual[] = {std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(),
                           std::nanf(""),
                           0.0F,
                           -0.0F,
                           1e-45F,
                           -1e-45F,
                           3e-39F,
                           1e-20F,
                           -1e-20F,
                           3e38F,
                           -3e38F};
  std::mt19937_64 engine(7);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(engine() % n); };
  for (int turn = 0; turn < 128; ++turn) {
    const Shape shape{1 + below(40), 1 + below(40), 1 + below(600)};
    const auto& [m, n, k] = shape;
    const float scale = turn % 3 == 0 ? 1e-22F : 1.0F;
    Floats a = random_floats(m * k, engine(), scale), b = random_floats(k * n, engine(), scale),
           c = random_floats(m * n, engine(), scale * scale);
    for (Floats* matrix : {&a, &b, &c})
      for (std::size_t i = 0; i < 3; ++i)
        (*matrix)[below(matrix->size())] = unusual[below(std::size(unusual))];
    expect_rule(shape, a, b, c, turn);
    if (HasFatalFailure()) return;
  }
}

TEST(KernelSets, HaveNamesAndTheLastRunsAnywhere) {
  EXPECT_EQ(name(runnable_kernel_sets().back()), "portable");
  for (const KernelSet set : kKernelSets) EXPECT_NE(name(set), "?");
  EXPECT_EQ(kernel_set_in_use(), runnable_kernel_sets().front());
}

TEST(KernelSets, AreMeasuredWithoutChangingWhatIsInUse) {
  for (const KernelSet set : runnable_kernel_sets()) {
    const double rate = measure_kernel_set(set);
    EXPECT_GT(rate, 0.001);  // GFLOP/s: an interpreter would do that
    EXPECT_LT(rate, 1e4);
  }
  EXPECT_EQ(kernel_set_in_use(), runnable_kernel_sets().front());
}

TEST(BlisVersion, IsNamed) { EXPECT_NE(blis_version().find_first_of("0123456789"), std::string::npos); }

}  // namespace
}  // namespace lockstep::kernels
