// Batch normalisation and its gradients against the formulas in double, at sizes around those that threads
// share.
#include "kernels/batch_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support.h"

namespace lockstep::kernels::batch_norm {
namespace {

using Floats = std::vector<float>;
constexpr double kEpsilon = 1e-3;
const std::vector<std::size_t> kGroups = {7, 1, 64, 30};
constexpr std::size_t kRows = 102;

struct Results {
  Floats y, dgamma, dbeta, dx;
};

Results computed(std::size_t cols, const Floats& x, const Floats& dy, const Floats& gamma, const Floats& beta,
                 int threads) {
  const ConstMatrix in(x.data(), kRows, cols);
  Results results{Floats(x.size(), std::nanf("")), Floats(kGroups.size() * cols, std::nanf("")),
                  Floats(kGroups.size() * cols, std::nanf("")), Floats(x.size(), std::nanf(""))};
  const GroupStatistics statistics = group_statistics(in, kGroups, threads);
  normalize_groups(in, kGroups, statistics, kEpsilon, gamma, beta, Matrix(results.y.data(), kRows, cols),
                   threads);
  normalize_groups_backward(in, kGroups, statistics, kEpsilon, gamma, {dy.data(), kRows, cols},
                            results.dgamma, results.dbeta, Matrix(results.dx.data(), kRows, cols), threads);
  return results;
}

TEST(BatchNorm, IsItsFormulaForEveryGroupByItself) {
  for (const std::size_t cols : {1, 3, 15, 16, 17, 63, 64, 65, 130}) {
    const Floats x = test::random_floats(kRows * cols, 1), dy = test::random_floats(kRows * cols, 2);
    for (const bool learned : {true, false}) {
      const Floats gamma = learned ? test::random_floats(cols, 3) : Floats(),
                   beta = learned ? test::random_floats(cols, 4) : Floats();
      const Results results = computed(cols, x, dy, gamma, beta, 1);
      std::size_t first = 0;
      for (std::size_t g = 0; g < kGroups.size(); first += kGroups[g++])
        for (std::size_t c = 0; c < cols; ++c) {
          const auto n = static_cast<double>(kGroups[g]);
          const auto sum = [&](auto&& term) {
            double total = 0.0;
            for (std::size_t i = first; i < first + kGroups[g]; ++i) total += term(i * cols + c);
            return total;
          };
          const double mean = sum([&](std::size_t at) { return double{x[at]}; }) / n;
          const double variance = sum([&](std::size_t at) { return std::pow(x[at] - mean, 2); }) / n;
          const double inverse = 1.0 / std::sqrt(variance + kEpsilon);
          const double factor = inverse * (learned ? double{gamma[c]} : 1.0);
          const auto u = [&](std::size_t at) { return (x[at] - mean) * inverse; };
          const double dbeta = sum([&](std::size_t at) { return double{dy[at]}; });
          const double dgamma = sum([&](std::size_t at) { return dy[at] * u(at); });
          EXPECT_NEAR(results.dbeta[g * cols + c], dbeta, 1e-5);
          EXPECT_NEAR(results.dgamma[g * cols + c], dgamma, 1e-5);
          for (std::size_t i = first; i < first + kGroups[g]; ++i) {
            const std::size_t at = i * cols + c;
            EXPECT_NEAR(results.y[at], factor * (x[at] - mean) + (learned ? double{beta[c]} : 0.0), 1e-5);
            EXPECT_NEAR(results.dx[at], factor * (dy[at] - dbeta / n - u(at) * dgamma / n), 2e-5);
          }
        }
    }
  }
}

TEST(BatchNorm, HasTheSameBitsForEveryNumberOfThreads) {
  constexpr std::size_t kCols = 130;
  const Floats x = test::random_floats(kRows * kCols, 1), dy = test::random_floats(kRows * kCols, 2),
               gamma = test::random_floats(kCols, 3), beta = test::random_floats(kCols, 4);
  const Results alone = computed(kCols, x, dy, gamma, beta, 1);
  for (const int threads : {2, 3, 7}) {
    const Results shared = computed(kCols, x, dy, gamma, beta, threads);
    EXPECT_TRUE(test::same_bits(alone.y, shared.y));
    EXPECT_TRUE(test::same_bits(alone.dgamma, shared.dgamma));
    EXPECT_TRUE(test::same_bits(alone.dbeta, shared.dbeta));
    EXPECT_TRUE(test::same_bits(alone.dx, shared.dx));
  }
}

TEST(BatchNorm, RefusesGroupsOfOtherRows) {
  const Floats x(12);
  const std::vector<std::size_t> groups = {2, 1};
  EXPECT_THROW(group_statistics({x.data(), 4, 3}, groups, 1), ShapeError);
}

}  // namespace
}  // namespace lockstep::kernels::batch_norm
