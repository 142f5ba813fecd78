// The first half of a step: the gradient without the update.
#include <gtest/gtest.h>

#include <cmath>

#include "modes.h"
#include "mpi_main.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using test::RunSetup;
using test::TrainerOnRanks;

using test::world;

std::vector<float> copy(std::span<const float> x) { return {x.begin(), x.end()}; }

// How far two gradients are apart, relative to the second's norm.
double distance(std::span<const float> a, std::span<const float> b) {
  double difference = 0.0, norm = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(double{a[i]} - double{b[i]}, 2);
    norm += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(difference / norm);
}

// The scales of the exact mode follow each gradient; the next is rounded by them.
constexpr double kAgain = 1e-6;

template <typename Body>
void for_every_mode(Body&& body) {
  for (const test::ModeCase& mode : test::at_ranks(test::kFullModes, world().size())) {
    SCOPED_TRACE(mode.name);
    RunSetup setup;
    setup.reduce = mode.options;
    setup.train.optimizer = {.learning_rate = 0.1, .l2 = 0.01};
    body(mode, setup);
  }
}

TEST(ComputeGradient, LeavesParametersAndStepsAlone) {
  for_every_mode([](const test::ModeCase&, const RunSetup& setup) {
    TrainerOnRanks ranks(setup, world());
    for (int step = 0; step < 5; ++step) {
      const auto before = copy(ranks.trainer.parameters());
      ranks.trainer.compute_gradient();
      EXPECT_TRUE(test::same_bits(ranks.trainer.parameters(), before));
      EXPECT_EQ(ranks.trainer.steps_done(), static_cast<std::size_t>(step));
      ranks.trainer.step();
      EXPECT_FALSE(test::same_bits(ranks.trainer.parameters(), before));
    }
  });
}

TEST(ComputeGradient, IsTheReferencesGradientOfTheNextBatch) {
  for_every_mode([](const test::ModeCase&, const RunSetup& setup) {
    TrainerOnRanks ranks(setup, world());
    const auto samples = test::reference_samples(setup);
    for (std::size_t step = 0; step < 2 * setup.plan().steps_per_epoch(); ++step) {
      const std::size_t steps = setup.plan().steps_per_epoch();
      std::vector<test::Sample> batch;
      for (const std::uint32_t number : test::samples_of_step(setup, step / steps, step % steps))
        batch.push_back(samples[number]);
      const auto reference = test::reference_of(ranks.model, setup.model.activation, setup.model.loss,
                                                ranks.trainer.parameters(), setup.train.optimizer.l2);
      const StepReport report = ranks.trainer.compute_gradient();
      EXPECT_EQ(report.step, step + 1);
      EXPECT_NEAR(report.loss(), reference.mean_loss(batch), 1e-6 * report.loss());
      test::expect_close_tensors(ranks.model, ranks.reducer->gradient(),
                                 reference.gradient(batch, /*with_l2=*/false), 1e-5);
      ranks.trainer.step();
    }
  });
}

// p - learning rate (gradient + l2 p), the latter for weights. The gradient is the one that the step leaves
// behind.
TEST(ComputeGradient, IsWhatTheStepUses) {
  for_every_mode([](const test::ModeCase&, const RunSetup& setup) {
    TrainerOnRanks ranks(setup, world());
    for (int step = 0; step < 5; ++step) {
      const auto before = copy(ranks.trainer.parameters());
      ranks.trainer.compute_gradient();
      const auto computed = ranks.reducer->gradient();
      ranks.trainer.step();
      const auto gradient = ranks.reducer->gradient();
      EXPECT_LE(distance(gradient, computed), kAgain);
      for (const nn::Tensor& tensor : ranks.model.tensors()) {
        for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
          const double l2 = test::is_weight(tensor) ? setup.train.optimizer.l2 * before[i] : 0.0;
          const double update = setup.train.optimizer.learning_rate * (gradient[i] + l2);
          EXPECT_NEAR(ranks.trainer.parameters()[i], before[i] - update,
                      0x1p-23 * (std::fabs(before[i]) + std::fabs(update)));
        }
      }
    }
  });
}

TEST(ComputeGradient, ComputedAgainIsTheSame) {
  for_every_mode([](const test::ModeCase& mode, RunSetup setup) {
    setup.model.dropout = 0.3;  // whose draws are the step's, however often it is computed
    TrainerOnRanks ranks(setup, world());
    ranks.trainer.step();
    const StepReport first = ranks.trainer.compute_gradient();
    const auto gradient = ranks.reducer->gradient();
    const StepReport second = ranks.trainer.compute_gradient();
    EXPECT_EQ(first.loss(), second.loss());
    EXPECT_EQ(first.sums.correct, second.sums.correct);
    EXPECT_LE(distance(ranks.reducer->gradient(), gradient), mode.exact ? kAgain : 0.0);
  });
}

}  // namespace
}  // namespace lockstep::train
