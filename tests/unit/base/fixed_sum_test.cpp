#include "base/fixed_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

namespace lockstep {
namespace {

std::vector<double> numbers(std::size_t n) {
  std::mt19937_64 engine(n);
  std::uniform_real_distribution<double> mantissa(-1.0, 1.0);
  std::uniform_int_distribution<int> exponent(-30, 30);
  std::vector<double> values(n);
  for (double& value : values) value = std::ldexp(mantissa(engine), exponent(engine));
  return values;
}

FixedSum sum_of(const std::vector<double>& values) {
  FixedSum sum;
  for (const double value : values) sum.add(value);
  return sum;
}

auto fields(const FixedSum& sum) { return std::tuple(sum.whole, sum.fraction, sum.invalid); }

TEST(FixedSum, DoesNotDependOnTheOrder) {
  auto values = numbers(1000);
  const auto first = fields(sum_of(values));
  std::mt19937_64 engine(5);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(values.begin(), values.end(), engine);
    EXPECT_EQ(fields(sum_of(values)), first);
  }
}

TEST(FixedSum, IsTheSumToHalfAStepAValue) {
  const auto values = numbers(1000);
  long double exact = 0.0L;
  for (const double value : values) exact += value;
  const double rounding_of_the_result = std::fabs(static_cast<double>(exact)) * 0x1p-52;
  EXPECT_NEAR(sum_of(values).value(), static_cast<double>(exact),
              static_cast<double>(values.size()) * 0x1p-41 + rounding_of_the_result);
}

TEST(FixedSum, CarriesFractionsIntoTheWhole) {
  FixedSum sum;
  for (int i = 0; i < 10; ++i) {
    sum.add(0.75);
    EXPECT_GE(sum.fraction, 0);
    EXPECT_LT(sum.fraction, std::int64_t{1} << 40);
  }
  EXPECT_EQ(sum.whole, 7);
  EXPECT_EQ(sum.value(), 7.5);
}

TEST(FixedSum, TakesNegativeValues) {
  FixedSum sum;
  sum.add(-0.25);
  EXPECT_EQ(sum.value(), -0.25);
  EXPECT_GE(sum.fraction, 0);
  sum.add(-3.5);
  EXPECT_EQ(sum.value(), -3.75);
  sum.add(3.75);
  EXPECT_EQ(fields(sum), fields(FixedSum{}));
}

TEST(FixedSum, ATinyNegativeValueRoundsToZero) {
  FixedSum sum;
  sum.add(-1e-300);
  EXPECT_EQ(fields(sum), fields(FixedSum{}));
}

TEST(FixedSum, SumsAddUpLikeTheirValues) {
  const auto values = numbers(999);
  FixedSum parts[3], total;
  for (std::size_t i = 0; i < values.size(); ++i) parts[i % 3].add(values[i]);
  for (const FixedSum& part : parts) total.add(part);
  EXPECT_EQ(fields(total), fields(sum_of(values)));
}

// What ranks do: the integers of several sums are added field by field, without carrying.
TEST(FixedSum, FieldsMayBeAddedSeparately) {
  const auto values = numbers(999);
  FixedSum parts[3], total;
  for (std::size_t i = 0; i < values.size(); ++i) parts[i % 3].add(values[i]);
  for (const FixedSum& part : parts) {
    total.whole += part.whole;
    total.fraction += part.fraction;
    total.invalid += part.invalid;
  }
  EXPECT_EQ(total.value(), sum_of(values).value());
}

TEST(FixedSum, AValueOutOfRangeMakesItInvalidForGood) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity(), 0x1p40, -0x1p40, 1e300}) {
    FixedSum sum;
    sum.add(1.0);
    sum.add(bad);
    EXPECT_EQ(sum.invalid, 1) << bad;
    EXPECT_TRUE(std::isnan(sum.value())) << bad;
    sum.add(1.0);
    EXPECT_TRUE(std::isnan(sum.value())) << bad;
    FixedSum other;
    other.add(2.0);
    other.add(sum);
    EXPECT_TRUE(std::isnan(other.value())) << bad;
  }
}

TEST(FixedSum, TakesTheLargestValuesOfItsRange) {
  const double largest = std::nextafter(0x1p40, 0.0);
  FixedSum sum;
  sum.add(largest);
  EXPECT_EQ(sum.value(), largest);
  sum.add(-largest);
  EXPECT_EQ(sum.value(), 0.0);
}

TEST(FixedSum, ManyOfTheLargestValuesDoNotOverflow) {
  FixedSum sum;
  for (int i = 0; i < 1 << 22; ++i) sum.add(0x1p40 - 1.0);
  EXPECT_EQ(sum.value(), 0x1p62 - 0x1p22);
  FixedSum negative;
  for (int i = 0; i < 1 << 22; ++i) negative.add(-0x1p40 + 1.0);
  EXPECT_EQ(negative.value(), -0x1p62 + 0x1p22);
}

}  // namespace
}  // namespace lockstep
