// The score of a split: the reference network's, and the same at any number of ranks and threads.
#include "train/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "mpi_main.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using test::MadeUpDataset;

using test::self;
using test::world;

std::size_t classes_with(kernels::Loss loss) {
  return loss == kernels::Loss::kBinaryCrossEntropy ? 2 : MadeUpDataset::kClasses;
}

nn::Model model_for(const MadeUpDataset& dataset, kernels::Loss loss) {
  nn::ModelOptions options;
  options.hidden = {11};
  options.loss = loss;
  return {options, MadeUpDataset::kFeatures, nn::outputs_of(options, dataset.info().classes)};
}

Score score_of(const MadeUpDataset& dataset, data::Split split, kernels::Loss loss,
               const comm::Communicator& communicator, int threads) {
  const nn::Model network = model_for(dataset, loss);
  const auto arena = test::random_floats(network.parameters(), 4);
  const data::Normalizer normalizer(data::Normalization::kScale, dataset.info(), {}, {});
  Evaluator evaluator(dataset, split, communicator.rank(), communicator.size());
  return evaluator.score({network, arena, normalizer, loss, 0.25}, communicator, threads);
}

TEST(Evaluator, GivesTheSameScoreAtAnyNumberOfRanksAndThreads) {
  test::for_every<kernels::Loss>([](kernels::Loss loss) {
    for (const std::size_t n : {1, 63, 64, 65, 200, 1500}) {
      const MadeUpDataset dataset(n + 1, n, classes_with(loss));
      for (const data::Split split : {data::Split::kTrain, data::Split::kTest}) {
        const Score alone = score_of(dataset, split, loss, self(), 1);
        for (const int threads : {1, 2}) {
          const Score together = score_of(dataset, split, loss, world(), threads);
          EXPECT_EQ(together.samples, static_cast<std::int64_t>(dataset.info().samples(split)));
          EXPECT_EQ(together.correct, alone.correct);
          EXPECT_EQ(together.loss, alone.loss);
        }
      }
    }
  });
}

TEST(Evaluator, IsTheReferencesMeanLossAndCount) {
  test::for_every<kernels::Loss>([](kernels::Loss loss) {
    const MadeUpDataset dataset(10, 333, classes_with(loss));
    const nn::Model network = model_for(dataset, loss);
    const auto reference = test::reference_of(network, kernels::Activation::kSigmoid, loss,
                                              test::random_floats(network.parameters(), 4));
    std::vector<test::Sample> samples;
    for (std::uint32_t i = 0; i < 333; ++i) {
      samples.push_back({{}, dataset.target(data::Split::kTest, i)});
      for (std::size_t j = 0; j < MadeUpDataset::kFeatures; ++j)
        samples.back().x.push_back(MadeUpDataset::feature(data::Split::kTest, i, j) / 255.0);
    }
    const Score score = score_of(dataset, data::Split::kTest, loss, world(), 1);
    const double expected = reference.mean_loss(samples) + 0.25;
    EXPECT_NEAR(score.loss, expected, 1e-6 * expected);
    EXPECT_NEAR(static_cast<double>(score.correct), static_cast<double>(reference.count_correct(samples)),
                1.0);
    EXPECT_EQ(score.accuracy(), static_cast<double>(score.correct) / 333.0);
  });
}

TEST(Evaluator, RanksHoldPartsThatAddUpToTheSplit) {
  for (const std::size_t n : {1, 64, 65, 1000}) {
    const MadeUpDataset dataset(1, n);
    std::vector<std::int64_t> held(n);
    const Evaluator evaluator(dataset, data::Split::kTest, world().rank(), world().size());
    for (const std::uint32_t sample : dataset.loaded()) ++held[sample];
    EXPECT_EQ(evaluator.samples().size(), dataset.loaded().size());
    world().allreduce_sum(std::span(held));
    EXPECT_EQ(held, std::vector<std::int64_t>(n, 1));
  }
}

TEST(L2Loss, IsHalfTheSumOfSquaredWeightsWithoutBiases) {
  const nn::Model network = model_for(MadeUpDataset(1, 1), kernels::Loss::kMse);
  const auto arena = test::random_floats(network.parameters(), 4);
  const auto reference =
      test::reference_of(network, kernels::Activation::kSigmoid, kernels::Loss::kMse, arena, 0.3);
  EXPECT_NEAR(l2_loss(network, arena, 0.3, 1), reference.l2_loss(), 1e-12 * reference.l2_loss());
  EXPECT_EQ(l2_loss(network, arena, 0.0, 1), 0.0);
  for (const int threads : {2, 3})
    EXPECT_EQ(l2_loss(network, arena, 0.3, threads), l2_loss(network, arena, 0.3, 1));
}

}  // namespace
}  // namespace lockstep::train
