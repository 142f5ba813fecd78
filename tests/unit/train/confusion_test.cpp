// What an evaluation tells beyond the score: outputs, confusion, the largest error; and of no samples at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "mpi_main.h"
#include "train/evaluator.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using kernels::Loss;
using test::MadeUpDataset;

using test::self;
using test::world;

// A network with random weights for a data set, and what evaluates it on the ranks of a communicator.
struct Evaluation {
  MadeUpDataset dataset;
  Loss loss;
  nn::Model model;
  std::vector<float> arena;
  data::Normalizer normalizer;

  Evaluation(std::size_t test_samples, std::size_t classes, std::size_t outputs, Loss l)
      : dataset(10, test_samples, classes),
        loss(l),
        model(options(l, outputs), MadeUpDataset::kFeatures, outputs),
        arena(test::random_floats(model.parameters(), 9)),
        normalizer(data::Normalization::kScale, dataset.info(), {}, {}) {}

  Evaluator::Network network() const { return {model, arena, normalizer, loss}; }
  Evaluator on(const comm::Communicator& communicator) const {
    return {dataset, data::Split::kTest, communicator.rank(), communicator.size()};
  }
  float target(std::size_t i) const {
    return dataset.target(data::Split::kTest, static_cast<std::uint32_t>(i));
  }

 private:
  static nn::ModelOptions options(Loss loss, std::size_t outputs) {
    nn::ModelOptions options;
    options.hidden = {7};
    options.loss = loss;
    options.outputs = outputs;
    return options;
  }
};

// The class that the outputs of one sample stand for.
std::size_t class_by_hand(Loss loss, std::span<const float> outputs) {
  if (outputs.size() == 1) return outputs[0] > (loss == Loss::kBinaryCrossEntropy ? 0.0F : 0.5F) ? 1 : 0;
  std::size_t best = 0;
  for (std::size_t c = 1; c < outputs.size(); ++c)
    if (outputs[c] > outputs[best]) best = c;
  return best;
}

struct Case {
  std::size_t classes, outputs;
  Loss loss;
};
constexpr Case kCases[] = {{4, 4, Loss::kCrossEntropy},
                           {4, 4, Loss::kMse},
                           {2, 2, Loss::kHalfMse},
                           {2, 1, Loss::kBinaryCrossEntropy},
                           {2, 1, Loss::kMse}};

TEST(Confusion, IsTheCountByHandAtAnyNumberOfRanksAndThreads) {
  for (const auto& [classes, outputs, loss] : kCases) {
    for (const std::size_t n : {1, 3, 200, 1500}) {
      const Evaluation evaluation(n, classes, outputs, loss);
      const std::vector<float> all = evaluation.on(self()).outputs(evaluation.network(), 1);
      ASSERT_EQ(all.size(), n * outputs);
      std::vector<std::int64_t> expected(classes * classes);
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t predicted = class_by_hand(loss, std::span(all).subspan(i * outputs, outputs));
        ++expected[static_cast<std::size_t>(evaluation.target(i)) * classes + predicted];
      }
      for (const int threads : {1, 2})
        EXPECT_EQ(evaluation.on(world()).confusion(evaluation.network(), classes, world(), threads), expected)
            << kernels::name(loss) << ", " << n << " samples";
    }
  }
}

// Samples of every class, some of them taken for another: else the count above could be of anything.
TEST(Confusion, HasTheScoresCorrectSamplesOnItsDiagonal) {
  for (const auto& [classes, outputs, loss] : kCases) {
    const Evaluation evaluation(500, classes, outputs, loss);
    const auto counts = evaluation.on(world()).confusion(evaluation.network(), classes, world(), 1);
    std::int64_t diagonal = 0, all = 0;
    for (std::size_t a = 0; a < classes; ++a) {
      std::int64_t row = 0;
      for (std::size_t b = 0; b < classes; ++b) row += counts[a * classes + b];
      EXPECT_GT(row, 0);
      diagonal += counts[a * classes + a];
      all += row;
    }
    EXPECT_EQ(all, 500);
    EXPECT_LT(diagonal, 500);
    EXPECT_EQ(diagonal, evaluation.on(world()).score(evaluation.network(), world(), 1).correct);
  }
}

TEST(Top5, IsTheCountByHandAtAnyNumberOfRanksAndThreads) {
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kMse}) {
    const Evaluation evaluation(700, 12, 12, loss);
    const std::vector<float> all = evaluation.on(self()).outputs(evaluation.network(), 1);
    std::int64_t expected = 0;
    for (std::size_t i = 0; i < 700; ++i) {
      std::vector<float> row(all.begin() + static_cast<std::ptrdiff_t>(12 * i),
                             all.begin() + static_cast<std::ptrdiff_t>(12 * (i + 1)));
      const float own = row[static_cast<std::size_t>(evaluation.target(i))];
      std::sort(row.begin(), row.end(), std::greater());
      expected += own >= row[4];  // no two outputs of a row are equal
    }
    for (const int threads : {1, 2}) {
      const Score score = evaluation.on(world()).score(evaluation.network(), world(), threads);
      EXPECT_EQ(score.in_first_5, expected);
      EXPECT_EQ(score.top5_accuracy(), static_cast<double>(expected) / 700);
      EXPECT_GT(score.in_first_5, score.correct);
      EXPECT_LT(score.in_first_5, 700);
    }
  }
}

TEST(Top5, IsNotCountedOfTenClassesOrFewer) {
  const Evaluation evaluation(100, 10, 10, Loss::kCrossEntropy);
  EXPECT_EQ(evaluation.on(world()).score(evaluation.network(), world(), 1).in_first_5, 0);
}

TEST(Outputs, AreThoseOfTheReferenceRowByRow) {
  const Evaluation evaluation(600, 4, 4, Loss::kCrossEntropy);
  const auto reference = test::reference_of(evaluation.model, kernels::Activation::kSigmoid,
                                            Loss::kCrossEntropy, evaluation.arena);
  const auto part = data::even_part(600, static_cast<std::size_t>(world().rank()),
                                    static_cast<std::size_t>(world().size()));
  const std::vector<float> own = evaluation.on(world()).outputs(evaluation.network(), 2);
  ASSERT_EQ(own.size(), 4 * part.size());
  for (std::size_t i = 0; i < part.size(); ++i) {
    test::Sample sample;
    for (std::size_t j = 0; j < MadeUpDataset::kFeatures; ++j)
      sample.x.push_back(
          MadeUpDataset::feature(data::Split::kTest, static_cast<std::uint32_t>(part.begin + i), j) / 255.0);
    const auto expected = reference.outputs(sample);
    for (std::size_t c = 0; c < 4; ++c) EXPECT_NEAR(own[4 * i + c], expected[c], 1e-5);
  }
}

TEST(LargestError, IsTheFarthestOutputFromItsTargetAtAnyNumberOfRanks) {
  for (const std::size_t n : {1, 2, 200, 1500}) {
    const Evaluation evaluation(n, 0, 1, Loss::kMse);
    const std::vector<float> all = evaluation.on(self()).outputs(evaluation.network(), 1);
    double expected = 0.0;
    for (std::size_t i = 0; i < n; ++i)
      expected = std::max(expected, std::fabs(double{all[i]} - double{evaluation.target(i)}));
    EXPECT_GT(expected, 0.0);
    EXPECT_EQ(evaluation.on(world()).score(evaluation.network(), world(), 2).largest_error, expected);
  }
}

TEST(LargestError, IsOfSingleOutputsOnly) {
  const Evaluation evaluation(50, 4, 4, Loss::kMse);
  EXPECT_EQ(evaluation.on(world()).score(evaluation.network(), world(), 1).largest_error, 0.0);
}

TEST(Evaluator, WithoutSamplesHasNeitherLossNorAccuracy) {
  for (const auto& [classes, outputs, loss] : kCases) {
    const Evaluation evaluation(0, classes, outputs, loss);
    const Score score = evaluation.on(world()).score(evaluation.network(), world(), 1);
    EXPECT_EQ(score.samples, 0);
    EXPECT_EQ(score.correct, 0);
    EXPECT_TRUE(std::isnan(score.loss));
    EXPECT_TRUE(std::isnan(score.accuracy()));
    EXPECT_EQ(score.largest_error, 0.0);
    EXPECT_TRUE(evaluation.on(world()).outputs(evaluation.network(), 1).empty());
    EXPECT_EQ(evaluation.on(world()).confusion(evaluation.network(), classes, world(), 1),
              std::vector<std::int64_t>(classes * classes));
  }
}

}  // namespace
}  // namespace lockstep::train
