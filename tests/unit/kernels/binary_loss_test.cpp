// Losses of two classes, and what outputs say about classes: extreme logits, single outputs, probabilities.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "kernels/loss.h"
#include "reference_network.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

constexpr float kLogits[] = {0.0F, 1e-3F, 0.3F, 5.0F, 17.0F, 40.0F, 100.0F, 700.0F, 1e4F, 3e38F};

// One row's loss, to the last digit, and its derivatives.
struct Evaluated {
  double loss;
  std::vector<float> gradient;
};
Evaluated evaluate(Loss loss, const std::vector<float>& outputs, float target) {
  std::vector<float> gradient(outputs.size(), std::nanf(""));
  evaluate_loss(loss, {outputs.data(), 1, outputs.size()}, {&target, 1}, 1.0,
                Matrix(gradient.data(), 1, outputs.size()), 1);
  return {sample_loss(loss, std::vector<double>(outputs.begin(), outputs.end()), target), gradient};
}

// The value in double, and the float that is nearest to the derivative.
TEST(BinaryCrossEntropy, KeepsAllDigitsAtEveryLogit) {
  for (const float magnitude : kLogits) {
    for (const float logit : {magnitude, -magnitude}) {
      for (const float target : {0.0F, 1.0F}) {
        const Evaluated found = evaluate(Loss::kBinaryCrossEntropy, {logit}, target);
        const double o[] = {logit};
        const double exact = test::sample_loss(Loss::kBinaryCrossEntropy, o, target);
        const double slope = test::sample_loss_gradient(Loss::kBinaryCrossEntropy, o, target)[0];
        EXPECT_NEAR(found.loss, exact, 1e-14 * exact) << logit << ", target " << target;
        EXPECT_EQ(found.gradient[0], static_cast<float>(slope)) << logit << ", target " << target;
      }
    }
  }
}

TEST(BinaryCrossEntropy, IsTheWorkedExample) {
  // sigmoid(0) = 1/2, and sigmoid(log 3) = 3/4.
  EXPECT_NEAR(evaluate(Loss::kBinaryCrossEntropy, {0.0F}, 1.0F).loss, std::log(2.0), 1e-15);
  EXPECT_EQ(evaluate(Loss::kBinaryCrossEntropy, {0.0F}, 1.0F).gradient[0], -0.5F);
  EXPECT_EQ(evaluate(Loss::kBinaryCrossEntropy, {0.0F}, 0.0F).gradient[0], 0.5F);
  const double o[] = {std::log(3.0)};
  EXPECT_NEAR(sample_loss(Loss::kBinaryCrossEntropy, o, 1.0), std::log(4.0 / 3.0), 1e-15);
  EXPECT_NEAR(sample_loss(Loss::kBinaryCrossEntropy, o, 0.0), std::log(4.0), 1e-15);
  EXPECT_EQ(evaluate(Loss::kBinaryCrossEntropy, {1e4F}, 0.0F).loss, 1e4);
  EXPECT_EQ(evaluate(Loss::kBinaryCrossEntropy, {1e4F}, 1.0F).loss, 0.0);
}

TEST(CrossEntropy, OfTwoClassesIsTheBinaryOneOfTheirDifference) {
  for (const float magnitude : kLogits) {
    for (const float z : {magnitude, -magnitude}) {
      for (const float target : {0.0F, 1.0F}) {
        const Evaluated two = evaluate(Loss::kCrossEntropy, {0.0F, z}, target);
        const Evaluated one = evaluate(Loss::kBinaryCrossEntropy, {z}, target);
        EXPECT_NEAR(two.loss, one.loss, 1e-15 * (1.0 + one.loss)) << z << ", class " << target;
        EXPECT_NEAR(two.gradient[1], one.gradient[0], 1e-15 + 0x1p-24 * std::fabs(one.gradient[0])) << z;
        EXPECT_NEAR(two.gradient[0], -one.gradient[0], 1e-15 + 0x1p-24 * std::fabs(one.gradient[0])) << z;
      }
    }
  }
}

TEST(CrossEntropy, StaysFiniteAtExtremeLogits) {
  const std::vector<float> rows[] = {{1e4F, -1e4F, 0.0F},   {3e38F, -3e38F, 1.0F},    {1e4F, 1e4F, 1e4F},
                                     {-1e4F, -1e4F, -1e4F}, {-3e38F, -3e38F, -3e38F}, {1e3F, 999.0F, 0.0F}};
  for (const auto& outputs : rows) {
    for (const float label : {0.0F, 1.0F, 2.0F}) {
      const Evaluated found = evaluate(Loss::kCrossEntropy, outputs, label);
      const std::vector<double> o(outputs.begin(), outputs.end());
      const double exact = test::sample_loss(Loss::kCrossEntropy, o, label);
      EXPECT_NEAR(found.loss, exact, 1e-15 * (1.0 + exact)) << outputs[0] << ", class " << label;
      const auto slopes = test::sample_loss_gradient(Loss::kCrossEntropy, o, label);
      double sum = 0.0;
      for (std::size_t k = 0; k < o.size(); ++k) {
        EXPECT_NEAR(found.gradient[k], slopes[k], 1e-15 + 0x1p-24 * std::fabs(slopes[k]));
        sum += found.gradient[k];
      }
      EXPECT_NEAR(sum, 0.0, 0x1p-23);  // the probabilities sum to 1
    }
  }
}

TEST(SquaredError, OfASingleOutputIsItsDistanceToTheTarget) {
  for (const float target : {0.0F, 1.0F, -2.5F, 7.0F}) {
    const Evaluated whole = evaluate(Loss::kMse, {1.5F}, target),
                    half = evaluate(Loss::kHalfMse, {1.5F}, target);
    const double error = 1.5 - target;
    EXPECT_EQ(whole.loss, error * error);
    EXPECT_EQ(half.loss, 0.5 * error * error);
    EXPECT_EQ(whole.gradient[0], 2.0 * error);
    EXPECT_EQ(half.gradient[0], error);
  }
}

TEST(PredictedClass, OfASingleOutputIsOneAboveItsThreshold) {
  constexpr float kUp = std::numeric_limits<float>::infinity();
  for (const Loss loss : {Loss::kBinaryCrossEntropy, Loss::kMse, Loss::kHalfMse}) {
    const float threshold = loss == Loss::kBinaryCrossEntropy ? 0.0F : 0.5F;
    const std::pair<float, std::size_t> cases[] = {{threshold, 0},
                                                   {std::nextafter(threshold, kUp), 1},
                                                   {std::nextafter(threshold, -kUp), 0},
                                                   {-100.0F, 0},
                                                   {100.0F, 1}};
    for (const auto& [output, expected] : cases) {
      EXPECT_EQ(predicted_class(loss, {&output, 1}), expected) << name(loss) << " of " << output;
      for (const float target : {0.0F, 1.0F}) {
        const auto sums = evaluate_loss(loss, {&output, 1, 1}, {&target, 1}, 1.0, {}, 1);
        EXPECT_EQ(sums.correct, target == static_cast<float>(expected));
      }
    }
  }
}

TEST(PredictedClass, OfSeveralOutputsIsTheLargestAndTheFirstOfEquals) {
  test::for_every<Loss>([](Loss loss) {
    const std::vector<std::pair<std::vector<float>, std::size_t>> cases = {
        {{1, 3, 3, 0}, 1}, {{-1, -2}, 0}, {{-2, -1}, 1}, {{0, 0}, 0}, {{1, 2, 7}, 2}};
    for (const auto& [outputs, expected] : cases) EXPECT_EQ(predicted_class(loss, outputs), expected);
  });
}

TEST(PlaceOfClass, IsInTheOrderOfOutputsAndOfEqualsTheFirst) {
  const std::vector<float> outputs = {1, 3, 3, 0, -2};
  const std::size_t places[] = {2, 0, 1, 3, 4};
  for (std::size_t c = 0; c < outputs.size(); ++c) EXPECT_EQ(place_of_class(outputs, c), places[c]);
  const std::vector<float> one_is_none = {1, NAN, 2};
  EXPECT_EQ(place_of_class(one_is_none, 1), 2U);
}

std::vector<double> probabilities(Loss loss, const std::vector<float>& outputs) {
  std::vector<double> p(std::max<std::size_t>(outputs.size(), 2), NAN);
  class_probabilities(loss, outputs, p);
  return p;
}

TEST(ClassProbabilities, AreTheSoftmaxAndSumToOne) {
  const auto p = probabilities(Loss::kCrossEntropy, {0.0F, 1.0F, 2.0F});
  const double sum = 1.0 + std::exp(1.0) + std::exp(2.0);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(p[k], std::exp(static_cast<double>(k)) / sum, 1e-15);
  for (const float big : {1e4F, 3e38F}) {
    EXPECT_EQ(probabilities(Loss::kCrossEntropy, {big, 0.0F}), (std::vector<double>{1.0, 0.0}));
    EXPECT_EQ(probabilities(Loss::kCrossEntropy, {-big, -big}), (std::vector<double>{0.5, 0.5}));
  }
}

TEST(ClassProbabilities, OfALogitAreTheSigmoidAndItsComplement) {
  for (const float magnitude : kLogits) {
    for (const float o : {magnitude, -magnitude}) {
      const auto p = probabilities(Loss::kBinaryCrossEntropy, {o});
      const double exact = test::activation(Activation::kSigmoid, o);
      EXPECT_NEAR(p[1], exact, 1e-15 * exact + 1e-300) << o;
      EXPECT_NEAR(p[0] + p[1], 1.0, 1e-15) << o;
    }
  }
}

TEST(ClassProbabilities, AreTheOutputsWhereTheLossKnowsNone) {
  for (const Loss loss : {Loss::kMse, Loss::kHalfMse}) {
    EXPECT_EQ(probabilities(loss, {0.25F, -1.0F, 3.0F}), (std::vector<double>{0.25, -1.0, 3.0}));
    EXPECT_EQ(probabilities(loss, {0.25F}), (std::vector<double>{0.75, 0.25}));
  }
}

TEST(ClassProbabilities, RefuseTheWrongRoom) {
  std::vector<double> p(3);
  EXPECT_THROW(class_probabilities(Loss::kCrossEntropy, std::vector<float>{1, 2}, p), ShapeError);
  EXPECT_THROW(class_probabilities(Loss::kBinaryCrossEntropy, std::vector<float>{1}, p), ShapeError);
}

}  // namespace
}  // namespace lockstep::kernels
