// Quantizing to integers and back, against the formula in double.
#include "kernels/fixed_point.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::kAwkwardSizes;
using test::kInfinity;
using test::random_floats;

// x * scale to the nearest integer, ties to even, within +-limit.
std::int32_t twin(float x, float scale, float limit) {
  const double exact = static_cast<double>(x) * scale;
  return static_cast<std::int32_t>(std::min<double>(limit, std::max<double>(-limit, std::nearbyint(exact))));
}

TEST(Quantize, IsTheNearestIntegerAtEveryShape) {
  constexpr std::size_t kGap = 3;
  for (const std::size_t rows : {0, 1, 2, 7}) {
    for (const std::size_t cols : kAwkwardSizes) {
      for (const float scale : {1.0F, 0x1p10F, 0x1p40F, 0x1p-3F}) {
        const float limit = 0x1p24F;
        const auto x = random_floats(rows * (cols + 1), 1, 5.0F);
        for (const Store store : {Store::kOverwrite, Store::kAccumulate}) {
          std::vector<std::int32_t> sums(rows * (cols + kGap), 1000), expected = sums;
          quantize(ConstMatrix(x.data(), rows, cols, cols + 1, 1), scale, limit, store, sums.data(),
                   cols + kGap);
          for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < cols; ++j) {
              std::int32_t& sum = expected[i * (cols + kGap) + j];
              sum = twin(x[i * (cols + 1) + j], scale, limit) + (store == Store::kAccumulate ? sum : 0);
            }
          }
          EXPECT_EQ(sums, expected) << rows << " x " << cols << ", scale " << scale;
        }
      }
    }
  }
}

TEST(Quantize, RoundsTiesToEven) {
  const std::vector<float> x = {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 0.49999997F, 1e6F + 0.5F};
  std::vector<std::int32_t> sums(x.size());
  quantize(ConstMatrix(x.data(), 1, x.size()), 1.0F, 0x1p24F, Store::kOverwrite, sums.data(), x.size());
  EXPECT_EQ(sums, (std::vector<std::int32_t>{0, 2, 2, 0, -2, -2, 0, 1000000}));
}

TEST(Quantize, ClampsWhateverDoesNotFit) {
  const float limit = 1000.0F;
  const std::vector<float> x = {999.0F, 1001.0F,   -1001.0F,   3e38F,
                                -3e38F, kInfinity, -kInfinity, std::nanf("")};
  std::vector<std::int32_t> sums(x.size());
  quantize(ConstMatrix(x.data(), 1, x.size()), 1.0F, limit, Store::kOverwrite, sums.data(), x.size());
  EXPECT_EQ(std::abs(sums.back()), 1000);
  sums.pop_back();
  EXPECT_EQ(sums, (std::vector<std::int32_t>{999, 1000, -1000, 1000, -1000, 1000, -1000}));
}

TEST(Quantize, SumsOfClampedContributionsFitTheInteger) {
  constexpr int kContributions = 8;
  const auto limit =
      static_cast<float>(std::numeric_limits<std::int32_t>::max() / kContributions / 128 * 128);
  const std::vector<float> x = {kInfinity, -kInfinity};
  std::vector<std::int32_t> sums(2);
  for (int i = 0; i < kContributions; ++i)
    quantize(ConstMatrix(x.data(), 1, 2), 1.0F, limit, Store::kAccumulate, sums.data(), 2);
  EXPECT_GT(sums[0], std::numeric_limits<std::int32_t>::max() / 2);
  EXPECT_EQ(sums[1], -sums[0]);
}

TEST(Quantize, ReportsTheLargestMagnitudeAnywhere) {
  for (const std::size_t n : kAwkwardSizes) {
    for (std::size_t place = 0; place < n; ++place) {
      auto x = random_floats(n, 2);
      x[place] = place % 2 == 0 ? 5.0F : -5.0F;
      std::vector<std::int32_t> sums(n);
      const auto magnitude =
          quantize(ConstMatrix(x.data(), 1, n), 1.0F, 100.0F, Store::kOverwrite, sums.data(), n);
      EXPECT_EQ(magnitude.largest_bits, std::bit_cast<std::uint32_t>(5.0F));
      EXPECT_TRUE(magnitude.finite());
      x[place] = place % 2 == 0 ? std::nanf("") : -kInfinity;
      EXPECT_FALSE(
          quantize(ConstMatrix(x.data(), 1, n), 1.0F, 100.0F, Store::kOverwrite, sums.data(), n).finite());
    }
  }
}

TEST(Magnitude, ExponentIsTheSmallestPowerOfTwoAbove) {
  for (const float x : {1.0F, 1.5F, 1.9999999F, 2.0F, 0.75F, 0.5F, 3e38F, 1e-38F, 1e-40F, 1e-45F}) {
    const int b = Magnitude{std::bit_cast<std::uint32_t>(x)}.exponent();
    EXPECT_LT(static_cast<double>(x), std::ldexp(1.0, b)) << x;
    EXPECT_GE(static_cast<double>(x), std::ldexp(1.0, b - 1)) << x;
  }
}

TEST(Dequantize, IsTheSumTimesTheScaleRoundedOnce) {
  for (const std::size_t n : {0, 1, 7, 21, 63, 64, 65, 40000}) {
    std::vector<std::int32_t> sums(n);
    for (std::size_t i = 0; i < n; ++i)
      sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(i) * 2654435761U);
    std::vector<float> x(n, std::nanf(""));
    dequantize(sums, 0x1p-20F, x);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(x[i], static_cast<float>(sums[i] * 0x1p-20));
  }
}

TEST(Dequantize, RefusesLengthsThatDiffer) {
  const std::vector<std::int32_t> sums(7);
  std::vector<float> x(8);
  EXPECT_THROW(dequantize(sums, 1.0F, x), ShapeError);
}

}  // namespace
}  // namespace lockstep::kernels
