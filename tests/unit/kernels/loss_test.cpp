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

using test::random_floats;

constexpr double kSumUnit = 0x1p-40;  // of the fixed-point sum

// A loss with a number of outputs, and with classes or values as targets.
struct Case {
  Loss loss;
  std::size_t outputs;
  bool values = false;
  double smoothing = 0.0;  // of labels

  std::size_t classes() const { return std::max<std::size_t>(outputs, 2); }
  std::vector<float> targets(std::size_t n) const {
    if (values) return random_floats(n, n + 99, 3.0F);
    std::vector<float> labels(n);
    for (std::size_t i = 0; i < n; ++i) labels[i] = static_cast<float>(i * i % classes());
    return labels;
  }
  ConstMatrix rows_of(const std::vector<float>& x) const { return {x.data(), x.size() / outputs, outputs}; }
  std::vector<double> row(const std::vector<float>& x, std::size_t i) const {
    const auto begin = x.begin() + static_cast<std::ptrdiff_t>(i * outputs);
    return {begin, begin + static_cast<std::ptrdiff_t>(outputs)};
  }
};

// Every loss, with all numbers of outputs that differ for it.
template <typename Body>
void for_every_case(Body&& body) {
  test::for_every<Loss>([&](Loss loss) {
    std::vector<Case> cases;
    if (loss != Loss::kBinaryCrossEntropy) cases = {{loss, 7}, {loss, 2}};
    if (loss != Loss::kCrossEntropy) cases.push_back({loss, 1});
    if (loss == Loss::kMse || loss == Loss::kHalfMse) cases.push_back({loss, 1, true});
    if (loss == Loss::kCrossEntropy)
      for (const double smoothing : {0.1, 0.75}) cases.push_back({loss, 7, false, smoothing});
    for (const Case& c : cases) {
      SCOPED_TRACE(testing::Message() << c.outputs << " outputs, smoothing " << c.smoothing);
      body(c);
    }
  });
}

// What the outputs of one sample say.
double answer(const Case& c, const std::vector<double>& o) {
  if (c.outputs == 1) return o[0] > (c.loss == Loss::kBinaryCrossEntropy ? 0.0 : 0.5) ? 1.0 : 0.0;
  return static_cast<double>(std::max_element(o.begin(), o.end()) - o.begin());
}

// Compares with the twin's sum and, of `gradient`, every number.
void expect_twin(const Case& c, const std::vector<float>& outputs, const std::vector<float>& targets,
                 double scale) {
  std::vector<float> gradient(outputs.size(), std::nanf(""));
  const LossSums sums = evaluate_loss(c.loss, c.rows_of(outputs), targets, scale,
                                      Matrix(gradient.data(), targets.size(), c.outputs), 1, c.smoothing);
  double sum = 0.0;
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto o = c.row(outputs, i);
    sum += test::smoothed_loss(c.loss, o, targets[i], c.smoothing);
    correct += answer(c, o) == targets[i];
    const auto exact = test::smoothed_loss_gradient(c.loss, o, targets[i], c.smoothing);
    for (std::size_t k = 0; k < c.outputs; ++k)
      EXPECT_NEAR(gradient[i * c.outputs + k], scale * exact[k],
                  0x1p-23 * std::fabs(scale * exact[k]) + 1e-15 * scale);
  }
  EXPECT_NEAR(sums.loss.value(), sum, static_cast<double>(targets.size()) * kSumUnit + 1e-14 * sum);
  EXPECT_EQ(sums.correct, correct);
  EXPECT_EQ(sums.samples, static_cast<std::int64_t>(targets.size()));
}

TEST(Loss, IsTheFormulaAtEverySize) {
  for_every_case([](const Case& c) {
    for (const std::size_t n : test::kAwkwardSizes)
      for (const float range : {0.1F, 3.0F, 50.0F})
        expect_twin(c, random_floats(n * c.outputs, n, range), c.targets(n), 1.0 / 37.0);
  });
}

TEST(Loss, TakesExtremeOutputsAndEveryLabel) {
  for_every_case([](const Case& c) {
    std::vector<float> outputs, targets;
    for (const std::size_t place : {std::size_t{0}, c.outputs / 2, c.outputs - 1}) {
      for (const float extreme : {1e4F, -1e4F}) {
        for (std::size_t label = 0; label < c.classes(); ++label) {
          auto o = random_floats(c.outputs, label);
          o[place] = extreme;
          outputs.insert(outputs.end(), o.begin(), o.end());
          targets.push_back(static_cast<float>(label));
        }
      }
    }
    expect_twin(c, outputs, targets, 0.5);
  });
}

TEST(Loss, GradientIsTheDifferenceQuotientOfTheValue) {
  for_every_case([](const Case& c) {
    const auto outputs = random_floats(5 * c.outputs, 3, 2.0F);
    const auto targets = c.targets(5);
    const double scale = 0.25;
    std::vector<float> gradient(outputs.size());
    evaluate_loss(c.loss, c.rows_of(outputs), targets, scale, Matrix(gradient.data(), 5, c.outputs), 1,
                  c.smoothing);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      auto up = outputs, down = outputs;
      up[i] += 0x1p-9F;
      down[i] -= 0x1p-9F;
      const double difference =
          evaluate_loss(c.loss, c.rows_of(up), targets, 1.0, {}, 1, c.smoothing).loss.value() -
          evaluate_loss(c.loss, c.rows_of(down), targets, 1.0, {}, 1, c.smoothing).loss.value();
      EXPECT_NEAR(gradient[i], scale * difference / (double{up[i]} - down[i]), 1e-6);
    }
  });
}

TEST(Loss, OfARowDoesNotDependOnTheOthers) {
  for_every_case([](const Case& c) {
    const auto outputs = random_floats(65 * c.outputs, 4, 4.0F);
    const auto targets = c.targets(65);
    std::vector<float> gradient(outputs.size());
    const LossSums all = evaluate_loss(c.loss, c.rows_of(outputs), targets, 0.1,
                                       Matrix(gradient.data(), 65, c.outputs), 1, c.smoothing);
    LossSums added;
    for (std::size_t i = 65; i-- > 0;) {
      std::vector<float> alone(c.outputs);
      added.add(evaluate_loss(c.loss, c.rows_of(outputs).row_range(i, 1), std::span(targets).subspan(i, 1),
                              0.1, Matrix(alone.data(), 1, c.outputs), 1, c.smoothing));
      EXPECT_TRUE(test::same_bits(alone, std::span(gradient).subspan(i * c.outputs, c.outputs)));
    }
    EXPECT_EQ(std::tuple(added.loss.whole, added.loss.fraction, added.correct, added.samples),
              std::tuple(all.loss.whole, all.loss.fraction, all.correct, all.samples));
  });
}

TEST(Loss, DoesNotDependOnThreads) {
  for_every_case([](const Case& c) {
    constexpr std::size_t kRows = 2111;  // with one output, more than one thread is given
    const auto outputs = random_floats(kRows * c.outputs, 5, 4.0F);
    const auto targets = c.targets(kRows);
    std::vector<float> first(outputs.size());
    const auto one = evaluate_loss(c.loss, c.rows_of(outputs), targets, 0.1,
                                   Matrix(first.data(), kRows, c.outputs), 1, c.smoothing);
    for (const int threads : {2, 3, 7}) {
      std::vector<float> gradient(outputs.size(), std::nanf(""));
      const auto sums = evaluate_loss(c.loss, c.rows_of(outputs), targets, 0.1,
                                      Matrix(gradient.data(), kRows, c.outputs), threads, c.smoothing);
      EXPECT_TRUE(test::same_bits(gradient, first));
      EXPECT_EQ(std::tuple(sums.loss.whole, sums.loss.fraction, sums.correct, sums.samples),
                std::tuple(one.loss.whole, one.loss.fraction, one.correct, one.samples));
    }
  });
}

TEST(Loss, ReadsAndWritesRowsThatLieApart) {
  for_every_case([](const Case& c) {
    constexpr std::size_t kRows = 21;
    const std::size_t apart = c.outputs + 4;
    const auto outputs = random_floats(kRows * c.outputs, 6);
    const auto targets = c.targets(kRows);
    std::vector<float> expected(outputs.size()), spread(kRows * apart, std::nanf("")),
        gradient(kRows * apart, -7.0F);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      spread[i / c.outputs * apart + i % c.outputs] = outputs[i];
    evaluate_loss(c.loss, c.rows_of(outputs), targets, 1.0, Matrix(expected.data(), kRows, c.outputs), 1,
                  c.smoothing);
    evaluate_loss(c.loss, ConstMatrix(spread.data(), kRows, c.outputs, apart, 1), targets, 1.0,
                  Matrix(gradient.data(), kRows, c.outputs, apart, 1), 1, c.smoothing);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const bool inside = i % apart < c.outputs;
      EXPECT_EQ(gradient[i], inside ? expected[i / apart * c.outputs + i % apart] : -7.0F);
    }
  });
}

TEST(Loss, IsInvalidWhereAnOutputIsNotANumber) {
  for_every_case([](const Case& c) {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
      for (std::size_t place = 0; place < c.outputs; ++place) {
        for (std::size_t label = 0; label < c.classes(); ++label) {
          auto outputs = random_floats(c.outputs, 7);
          outputs[place] = bad;
          const float targets[] = {static_cast<float>(label)};
          EXPECT_TRUE(std::isnan(
              evaluate_loss(c.loss, c.rows_of(outputs), targets, 1.0, {}, 1, c.smoothing).loss.value()))
              << bad << " at " << place << ", label " << label;
        }
      }
    }
  });
}

TEST(Loss, TheFirstOfEqualOutputsIsTheAnswer) {
  const std::vector<float> outputs = {1, 3, 3, 0, 3, 2, 2};
  for (std::size_t label = 0; label < outputs.size(); ++label) {
    const auto target = static_cast<float>(label);
    const auto sums =
        evaluate_loss(Loss::kMse, {outputs.data(), 1, outputs.size()}, {&target, 1}, 1.0, {}, 1);
    EXPECT_EQ(sums.correct, label == 1);
  }
}

TEST(Loss, RefusesShapesThatDiffer) {
  std::vector<float> outputs(2 * 7), gradient(2 * 7);
  const std::vector<float> targets = {0, 1, 2};
  const ConstMatrix rows(outputs.data(), 2, 7);
  EXPECT_THROW(evaluate_loss(Loss::kMse, rows, targets, 1.0, {}, 1), ShapeError);
  EXPECT_THROW(
      evaluate_loss(Loss::kMse, rows, std::span(targets).first(2), 1.0, Matrix(gradient.data(), 7, 2), 1),
      ShapeError);
}

}  // namespace
}  // namespace lockstep::kernels
