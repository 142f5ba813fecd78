// Functions as tables: where the points lie, what their values are, what noise adds.
#include "data/function_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "data/points.h"
#include "support.h"

namespace lockstep::data {
namespace {

FunctionTable table_of(Function function, std::size_t n, double noise = 0.0, std::uint64_t seed = 1) {
  DataOptions options;
  options.function = function;
  options.n = n;
  options.noise = noise;
  options.seed = seed;
  return FunctionTable(options);
}

TEST(FunctionTable, PointsLieEvenlyWithBothEnds) {
  for (const std::size_t n : {2, 3, 10, 401}) {
    const SampleStore table = test::load_all(table_of(Function::kSine, n));
    ASSERT_EQ(table.size(), n);
    EXPECT_EQ(table.values.front(), 0.0F);
    EXPECT_EQ(table.values.back(), 1.0F);
    for (std::size_t i = 0; i < n; ++i)
      EXPECT_EQ(table.values[i], static_cast<float>(static_cast<double>(i) / static_cast<double>(n - 1)));
  }
}

TEST(FunctionTable, ValuesAreTheFunctions) {
  const SampleStore sine = test::load_all(table_of(Function::kSine, 401));
  const SampleStore kink = test::load_all(table_of(Function::kKink, 401));
  for (std::size_t i = 0; i < 401; ++i) {
    const double x = static_cast<double>(i) / 400.0;
    EXPECT_NEAR(sine.targets[i], std::sin(2.0 * std::numbers::pi * x), 1e-7);
    EXPECT_NEAR(kink.targets[i], std::fabs(2.0 * x - 1.0), 1e-7);
  }
}

TEST(FunctionTable, FunctionsAreKnownBeyondTheTable) {
  for (const double x : {-0.3, 0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.6}) {
    EXPECT_NEAR(function_value(Function::kSine, x), std::sin(2.0 * std::numbers::pi * x), 1e-15);
    EXPECT_EQ(function_value(Function::kKink, x), std::fabs(2.0 * x - 1.0));
  }
}

TEST(FunctionTable, IsASetOfValuesThatKnowsItsFunction) {
  for (const Function function : {Function::kSine, Function::kKink}) {
    const DatasetInfo info = table_of(function, 9).info();
    EXPECT_FALSE(info.pixels);
    EXPECT_EQ(info.features(), 1U);
    EXPECT_EQ(info.classes, 0U);
    EXPECT_EQ(info.train_samples, 9U);
    EXPECT_EQ(info.test_samples, 0U);
    EXPECT_EQ(info.function, function);
  }
}

TEST(FunctionTable, NoiseIsNormalAndMovesValuesOnly) {
  constexpr std::size_t kPoints = 20000;
  constexpr double kNoise = 0.25;
  const SampleStore calm = test::load_all(table_of(Function::kKink, kPoints));
  const SampleStore noisy = test::load_all(table_of(Function::kKink, kPoints, kNoise));
  EXPECT_TRUE(test::same_bits(calm.values, noisy.values));
  double sum = 0.0, squares = 0.0, neighbours = 0.0, before = 0.0;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double z = (noisy.targets[i] - calm.targets[i]) / kNoise;
    sum += z;
    squares += z * z;
    neighbours += z * before;
    before = z;
  }
  EXPECT_NEAR(sum / kPoints, 0.0, 5.0 / std::sqrt(kPoints));
  EXPECT_NEAR(squares / kPoints, 1.0, 5.0 * std::sqrt(2.0 / kPoints));
  EXPECT_NEAR(neighbours / kPoints, 0.0, 5.0 / std::sqrt(kPoints));
}

TEST(FunctionTable, NoiseDependsOnTheSeedAndThePoint) {
  const FunctionTable table = table_of(Function::kSine, 50, 0.1, 3);
  const SampleStore whole = test::load_all(table);
  const std::vector<std::uint32_t> some = {0, 7, 49};
  const SampleStore part = table.load(Split::kTrain, some);
  for (std::size_t i = 0; i < some.size(); ++i) {
    EXPECT_EQ(part.values[i], whole.values[some[i]]);
    EXPECT_EQ(part.targets[i], whole.targets[some[i]]);
  }
  const SampleStore other = test::load_all(table_of(Function::kSine, 50, 0.1, 4));
  for (std::size_t i = 0; i < 50; ++i) EXPECT_NE(other.targets[i], whole.targets[i]);
}

TEST(FunctionTable, NeedsTwoPoints) {
  for (const std::size_t n : {0, 1})
    test::expect_line_with(test::message_of<ConfigError>([&] { table_of(Function::kSine, n); }),
                           {"data.n is " + std::to_string(n), "at least 2"});
}

}  // namespace
}  // namespace lockstep::data
