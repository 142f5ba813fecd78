#include "optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace lockstep::optim {
namespace {

using Curve = ScheduleOptions::Kind;

constexpr double kRate = 0.4;
constexpr std::size_t kEpochs = 12, kSteps = 7;

Schedule schedule(const ScheduleOptions& options) { return {options, kRate, kEpochs, kSteps}; }

TEST(Schedule, ConstantStaysAtTheRate) {
  for (std::size_t t = 0; t < kEpochs * kSteps; ++t) EXPECT_EQ(schedule({}).learning_rate(t), kRate);
}

TEST(Schedule, StepFallsByItsFactorEverySoManyEpochs) {
  const Schedule step = schedule({.kind = Curve::kStep, .step_epochs = 5, .step_factor = 0.3});
  for (std::size_t epoch = 0; epoch < kEpochs; ++epoch) {
    for (std::size_t s = 0; s < kSteps; ++s) {
      const double expected = kRate * std::pow(0.3, static_cast<double>(epoch / 5));
      EXPECT_NEAR(step.learning_rate(epoch * kSteps + s), expected, 1e-15) << "epoch " << epoch;
    }
  }
}

TEST(Schedule, CosineFollowsItsFormulaFromRateToFinal) {
  const Schedule cosine = schedule({.kind = Curve::kCosine, .final_learning_rate = 0.1});
  EXPECT_EQ(cosine.learning_rate(0), kRate);
  const double all = kEpochs * kSteps;
  for (std::size_t t = 0; t < kEpochs * kSteps; ++t) {
    const double u = static_cast<double>(t) / all;
    EXPECT_NEAR(cosine.learning_rate(t), 0.1 + 0.3 * (1.0 + std::cos(std::numbers::pi * u)) / 2.0, 1e-14);
  }
  EXPECT_NEAR(cosine.learning_rate(kEpochs * kSteps / 2), 0.25, 1e-14);
  EXPECT_NEAR(cosine.learning_rate(kEpochs * kSteps), 0.1, 1e-14);
  EXPECT_NEAR(cosine.learning_rate(10 * kEpochs * kSteps), 0.1, 1e-14);
}

TEST(Schedule, WarmUpRisesLinearlyToTheRate) {
  for (const Curve curve : {Curve::kConstant, Curve::kStep, Curve::kCosine}) {
    const Schedule warm = schedule({.kind = curve, .warmup_epochs = 2.0});
    constexpr std::size_t kWarmSteps = 2 * kSteps;
    for (std::size_t t = 0; t < kWarmSteps; ++t)
      EXPECT_NEAR(warm.learning_rate(t), kRate * static_cast<double>(t + 1) / kWarmSteps, 1e-15);
    EXPECT_EQ(warm.learning_rate(kWarmSteps - 1), kRate);
    EXPECT_EQ(warm.learning_rate(kWarmSteps), kRate);  // where the cosine begins, and within the first step
  }
}

TEST(Schedule, CosineAfterWarmUpEndsWithTheTraining) {
  const Schedule cosine =
      schedule({.kind = Curve::kCosine, .warmup_epochs = 2.0, .final_learning_rate = 0.1});
  const double warm = 2.0 * kSteps, all = kEpochs * kSteps;
  for (std::size_t t = 2 * kSteps; t <= kEpochs * kSteps; ++t) {
    const double u = (static_cast<double>(t) - warm) / (all - warm);
    EXPECT_NEAR(cosine.learning_rate(t), 0.1 + 0.15 * (1.0 + std::cos(std::numbers::pi * u)), 1e-14);
  }
}

// Through three points: the initial rate at step 0, the rate where the warm-up ends, the final one at the
// last step.
TEST(Schedule, TriangularRisesAndFallsInLines) {
  for (const double warmup : {0.0, 0.5, 3.0, 3.25, 11.0}) {
    const Schedule triangle = schedule({.kind = Curve::kTriangular,
                                        .warmup_epochs = warmup,
                                        .initial_learning_rate = 0.08,
                                        .final_learning_rate = 0.028});
    const double peak = warmup * kSteps, last = kEpochs * kSteps - 1;
    for (std::size_t step = 0; step < kEpochs * kSteps; ++step) {
      const auto t = static_cast<double>(step);
      const double rising = (0.08 * (peak - t) + kRate * t) / peak;
      const double falling = (kRate * (last - t) + 0.028 * (t - peak)) / (last - peak);
      EXPECT_NEAR(triangle.learning_rate(step), t < peak ? rising : falling, 1e-15)
          << "warm-up " << warmup << ", step " << step;
    }
    EXPECT_EQ(triangle.learning_rate(0), warmup == 0.0 ? kRate : 0.08);
    EXPECT_EQ(triangle.learning_rate(kEpochs * kSteps - 1), 0.028);
    EXPECT_EQ(triangle.learning_rate(10 * kEpochs * kSteps), 0.028);
  }
}

TEST(Schedule, TriangularWithoutRoomToFallStaysAtTheRate) {
  const ScheduleOptions options{.kind = Curve::kTriangular, .initial_learning_rate = 0.1};
  EXPECT_EQ(Schedule(options, kRate, 1, 1).learning_rate(0), kRate);
  const Schedule rising = schedule({.kind = Curve::kTriangular, .warmup_epochs = 2.0 * kEpochs});
  EXPECT_EQ(rising.learning_rate(0), 0.0);
  EXPECT_NEAR(rising.learning_rate(kEpochs * kSteps / 2), kRate / 4.0, 1e-15);
  EXPECT_LT(rising.learning_rate(kEpochs * kSteps - 1), kRate / 2.0);
}

TEST(Schedule, WarmUpMayEndWithinAnEpoch) {
  const Schedule warm = schedule({.warmup_epochs = 0.5});  // 3.5 steps
  EXPECT_NEAR(warm.learning_rate(0), kRate / 3.5, 1e-15);
  EXPECT_NEAR(warm.learning_rate(2), kRate * 3.0 / 3.5, 1e-15);
  EXPECT_EQ(warm.learning_rate(3), kRate);
}

TEST(Schedule, WarmUpLongerThanTheTrainingNeverReachesTheRate) {
  const Schedule warm = schedule({.kind = Curve::kCosine, .warmup_epochs = 2.0 * kEpochs});
  EXPECT_NEAR(warm.learning_rate(kEpochs * kSteps - 1), kRate / 2.0, 1e-15);
}

TEST(Schedule, NeverRisesAfterTheWarmUp) {
  for (const Curve curve : {Curve::kConstant, Curve::kStep, Curve::kCosine}) {
    const Schedule any = schedule({.kind = curve, .warmup_epochs = 1.0, .step_epochs = 2});
    for (std::size_t t = kSteps; t + 1 < kEpochs * kSteps; ++t) {
      EXPECT_GE(any.learning_rate(t), any.learning_rate(t + 1));
      EXPECT_GT(any.learning_rate(t + 1), 0.0);
    }
  }
}

}  // namespace
}  // namespace lockstep::optim
