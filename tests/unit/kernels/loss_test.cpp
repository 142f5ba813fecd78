// Every loss and its gradient against formulas in double, and what a batch's sums must not depend on.
#include "kernels/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "base/error.h"
#include "reference_network.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::for_every;
using test::random_floats;

constexpr std::size_t kClasses = 7;
constexpr double kSumUnit = 0x1p-40;  // of the fixed-point sum

std::vector<std::uint8_t> random_labels(std::size_t n) {
  std::vector<std::uint8_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) labels[i] = static_cast<std::uint8_t>(i * i % kClasses);
  return labels;
}

ConstMatrix rows_of(const std::vector<float>& x) { return {x.data(), x.size() / kClasses, kClasses}; }

std::vector<double> row(const std::vector<float>& x, std::size_t i) {
  const auto begin = x.begin() + static_cast<std::ptrdiff_t>(i * kClasses);
  return {begin, begin + kClasses};
}

// Compares with the twin's sum and, of `gradient`, every number.
void expect_twin(Loss loss, const std::vector<float>& outputs, const std::vector<std::uint8_t>& labels,
                 double scale) {
  std::vector<float> gradient(outputs.size(), std::nanf(""));
  const LossSums sums = evaluate_loss(loss, rows_of(outputs), labels, scale,
                                      Matrix(gradient.data(), labels.size(), kClasses), 1);
  double sum = 0.0;
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto o = row(outputs, i);
    sum += test::sample_loss(loss, o, labels[i]);
    correct += std::max_element(o.begin(), o.end()) - o.begin() == labels[i];
    const auto exact = test::sample_loss_gradient(loss, o, labels[i]);
    for (std::size_t k = 0; k < kClasses; ++k)
      EXPECT_NEAR(gradient[i * kClasses + k], scale * exact[k],
                  0x1p-23 * std::fabs(scale * exact[k]) + 1e-15 * scale);
  }
  EXPECT_NEAR(sums.loss.value(), sum, static_cast<double>(labels.size()) * kSumUnit + 1e-14 * sum);
  EXPECT_EQ(sums.correct, correct);
  EXPECT_EQ(sums.samples, static_cast<std::int64_t>(labels.size()));
}

TEST(Loss, IsTheFormulaAtEverySize) {
  for_every<Loss>([](Loss loss) {
    for (const std::size_t n : test::kAwkwardSizes)
      for (const float range : {0.1F, 3.0F, 50.0F})
        expect_twin(loss, random_floats(n * kClasses, n, range), random_labels(n), 1.0 / 37.0);
  });
}

TEST(Loss, TakesExtremeOutputsAndEveryLabel) {
  for_every<Loss>([](Loss loss) {
    std::vector<float> outputs;
    std::vector<std::uint8_t> labels;
    for (const std::size_t place : {std::size_t{0}, kClasses / 2, kClasses - 1}) {
      for (const float extreme : {1e4F, -1e4F}) {
        for (std::size_t label = 0; label < kClasses; ++label) {
          auto o = random_floats(kClasses, label);
          o[place] = extreme;
          outputs.insert(outputs.end(), o.begin(), o.end());
          labels.push_back(static_cast<std::uint8_t>(label));
        }
      }
    }
    expect_twin(loss, outputs, labels, 0.5);
  });
}

TEST(Loss, GradientIsTheDifferenceQuotientOfTheValue) {
  for_every<Loss>([](Loss loss) {
    const auto outputs = random_floats(5 * kClasses, 3, 2.0F);
    const auto labels = random_labels(5);
    const double scale = 0.25;
    std::vector<float> gradient(outputs.size());
    evaluate_loss(loss, rows_of(outputs), labels, scale, Matrix(gradient.data(), 5, kClasses), 1);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      auto up = outputs, down = outputs;
      up[i] += 0x1p-9F;
      down[i] -= 0x1p-9F;
      const double difference = evaluate_loss(loss, rows_of(up), labels, 1.0, {}, 1).loss.value() -
                                evaluate_loss(loss, rows_of(down), labels, 1.0, {}, 1).loss.value();
      EXPECT_NEAR(gradient[i], scale * difference / (double{up[i]} - down[i]), 1e-6);
    }
  });
}

TEST(Loss, OfARowDoesNotDependOnTheOthers) {
  for_every<Loss>([](Loss loss) {
    const auto outputs = random_floats(65 * kClasses, 4, 4.0F);
    const auto labels = random_labels(65);
    std::vector<float> gradient(outputs.size());
    const LossSums all =
        evaluate_loss(loss, rows_of(outputs), labels, 0.1, Matrix(gradient.data(), 65, kClasses), 1);
    LossSums added;
    for (std::size_t i = 65; i-- > 0;) {
      std::vector<float> alone(kClasses);
      added.add(evaluate_loss(loss, rows_of(outputs).row_range(i, 1), std::span(labels).subspan(i, 1), 0.1,
                              Matrix(alone.data(), 1, kClasses), 1));
      EXPECT_TRUE(test::same_bits(alone, std::span(gradient).subspan(i * kClasses, kClasses)));
    }
    EXPECT_EQ(std::tuple(added.loss.whole, added.loss.fraction, added.correct, added.samples),
              std::tuple(all.loss.whole, all.loss.fraction, all.correct, all.samples));
  });
}

TEST(Loss, DoesNotDependOnThreads) {
  for_every<Loss>([](Loss loss) {
    constexpr std::size_t kRows = 211;
    const auto outputs = random_floats(kRows * kClasses, 5, 4.0F);
    const auto labels = random_labels(kRows);
    std::vector<float> first(outputs.size());
    const auto one =
        evaluate_loss(loss, rows_of(outputs), labels, 0.1, Matrix(first.data(), kRows, kClasses), 1);
    for (const int threads : {2, 3, 7}) {
      std::vector<float> gradient(outputs.size(), std::nanf(""));
      const auto sums = evaluate_loss(loss, rows_of(outputs), labels, 0.1,
                                      Matrix(gradient.data(), kRows, kClasses), threads);
      EXPECT_TRUE(test::same_bits(gradient, first));
      EXPECT_EQ(std::tuple(sums.loss.whole, sums.loss.fraction, sums.correct, sums.samples),
                std::tuple(one.loss.whole, one.loss.fraction, one.correct, one.samples));
    }
  });
}

TEST(Loss, ReadsAndWritesRowsThatLieApart) {
  for_every<Loss>([](Loss loss) {
    constexpr std::size_t kRows = 21, kApart = kClasses + 4;
    const auto outputs = random_floats(kRows * kClasses, 6);
    const auto labels = random_labels(kRows);
    std::vector<float> expected(outputs.size()), spread(kRows * kApart, std::nanf("")),
        gradient(kRows * kApart, -7.0F);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      spread[i / kClasses * kApart + i % kClasses] = outputs[i];
    evaluate_loss(loss, rows_of(outputs), labels, 1.0, Matrix(expected.data(), kRows, kClasses), 1);
    evaluate_loss(loss, ConstMatrix(spread.data(), kRows, kClasses, kApart, 1), labels, 1.0,
                  Matrix(gradient.data(), kRows, kClasses, kApart, 1), 1);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const bool inside = i % kApart < kClasses;
      EXPECT_EQ(gradient[i], inside ? expected[i / kApart * kClasses + i % kApart] : -7.0F);
    }
  });
}

TEST(Loss, IsInvalidWhereAnOutputIsNotANumber) {
  for_every<Loss>([](Loss loss) {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
      for (std::size_t place = 0; place < kClasses; ++place) {
        for (std::size_t label = 0; label < kClasses; ++label) {
          auto outputs = random_floats(kClasses, 7);
          outputs[place] = bad;
          const std::uint8_t labels[] = {static_cast<std::uint8_t>(label)};
          EXPECT_TRUE(std::isnan(evaluate_loss(loss, rows_of(outputs), labels, 1.0, {}, 1).loss.value()))
              << bad << " at " << place << ", label " << label;
        }
      }
    }
  });
}

TEST(Loss, TheFirstOfEqualOutputsIsTheAnswer) {
  const std::vector<float> outputs = {1, 3, 3, 0, 3, 2, 2};
  for (std::uint8_t label = 0; label < kClasses; ++label) {
    const auto sums = evaluate_loss(Loss::kMse, rows_of(outputs), {&label, 1}, 1.0, {}, 1);
    EXPECT_EQ(sums.correct, label == 1);
  }
}

TEST(Loss, RefusesShapesThatDiffer) {
  std::vector<float> outputs(2 * kClasses), gradient(2 * kClasses);
  const std::vector<std::uint8_t> labels = {0, 1, 2};
  EXPECT_THROW(evaluate_loss(Loss::kMse, rows_of(outputs), labels, 1.0, {}, 1), ShapeError);
  EXPECT_THROW(evaluate_loss(Loss::kMse, rows_of(outputs), std::span(labels).first(2), 1.0,
                             Matrix(gradient.data(), kClasses, 2), 1),
               ShapeError);
}

}  // namespace
}  // namespace lockstep::kernels
