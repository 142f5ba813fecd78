// Eigenvalues and eigenvectors: A v = w v, orthonormal, in order, and the same bits everywhere.
#include "kernels/eigen.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/hash.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

// The second moments of `rows` random vectors, in both triangles.
std::vector<double> moments(std::size_t n, std::size_t rows, std::uint64_t seed) {
  const std::vector<float> x = test::random_floats(rows * n, seed);
  std::vector<double> sums(n * n);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) sums[i * n + j] += double{x[r * n + i]} * x[r * n + j];
  return sums;
}

TEST(EigenOfSymmetric, HasTheVectorsOfItsValues) {
  for (const std::size_t n : {1UL, 2UL, 3UL, 12UL, 27UL, 60UL}) {
    for (const std::size_t rows : {n / 2 + 1, 3 * n}) {  // of less than full rank, and of full rank
      const std::vector<double> a = moments(n, rows, n);
      const Eigen eigen = eigen_of_symmetric(a, n);
      const double room = 1e-13 * std::max(1.0, eigen.values[0]);
      for (std::size_t k = 0; k < n; ++k) {
        const double* v = &eigen.vectors[k * n];
        double largest = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
          double product = 0.0;
          for (std::size_t j = 0; j < n; ++j) product += a[i * n + j] * v[j];
          EXPECT_NEAR(product, eigen.values[k] * v[i], room);
          if (std::fabs(v[i]) > std::fabs(largest)) largest = v[i];
        }
        EXPECT_GT(largest, 0.0);
        for (std::size_t l = 0; l <= k; ++l) {
          double product = 0.0;
          for (std::size_t j = 0; j < n; ++j) product += v[j] * eigen.vectors[l * n + j];
          EXPECT_NEAR(product, k == l ? 1.0 : 0.0, 1e-13);
        }
        EXPECT_GE(eigen.values[k == 0 ? 0 : k - 1], eigen.values[k]);
      }
    }
  }
}

TEST(EigenOfSymmetric, ReadsTheUpperTriangleOnly) {
  std::vector<double> a = moments(5, 9, 1);
  const Eigen whole = eigen_of_symmetric(a, 5);
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < i; ++j) a[i * 5 + j] = std::nan("");
  const Eigen upper = eigen_of_symmetric(a, 5);
  EXPECT_EQ(upper.values, whole.values);
  EXPECT_EQ(upper.vectors, whole.vectors);
}

TEST(EigenOfSymmetric, OfADiagonalMatrixIsThat) {
  const Eigen eigen = eigen_of_symmetric({2, 0, 0, 0, 0, 0, 0, 0, 5}, 3);
  EXPECT_EQ(eigen.values, (std::vector<double>{5, 2, 0}));
  EXPECT_EQ(eigen.vectors, (std::vector<double>{0, 0, 1, 1, 0, 0, 0, 1, 0}));
}

// A record of the bits, which every compiler and processor must have.
TEST(EigenOfSymmetric, HasTheSameBitsEverywhere) {
  const Eigen eigen = eigen_of_symmetric(moments(12, 40, 7), 12);
  EXPECT_EQ(hash_hex(std::as_bytes(std::span(eigen.vectors))), "b426c13b9df001c5");
}

TEST(EigenOfSymmetric, RefusesWhatIsNotFiniteOrNotSquare) {
  EXPECT_THROW(eigen_of_symmetric({1, 2, 3}, 2), ShapeError);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(eigen_of_symmetric({1, nan, nan, 1}, 2), ShapeError);
}

}  // namespace
}  // namespace lockstep::kernels
