// Norms of a step's gradient, by which it is clipped and by which lars scales.
#include "train/gradient_norms.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layer_lists.h"
#include "modes.h"
#include "mpi_main.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using test::RunSetup;
using test::TrainerOnRanks;

using test::self;
using test::world;

// Wide enough for sums of several parts; the second layer is frozen.
RunSetup setup_of(const test::ModeCase& mode) {
  RunSetup setup;
  setup.reduce = mode.options;
  const auto tanh = test::pointwise(kernels::Activation::kTanh);
  setup.model.layers = {test::dense(120), tanh, test::dense(90), tanh, test::dense(70), tanh, test::dense()};
  setup.model.layers[2].frozen = true;
  return setup;
}

TEST(SquaredNorms, AreTheSumsOfTheTensorsSquares) {
  for (const test::ModeCase& mode : test::at_ranks(test::kFullModes, world().size())) {
    SCOPED_TRACE(mode.name);
    TrainerOnRanks ranks(setup_of(mode), world());
    ranks.trainer.compute_gradient();
    const std::vector<float> gradient = ranks.reducer->gradient();
    const std::vector<double> squares = squared_norms(*ranks.reducer, ranks.model.tensors(), world(), 1);
    ASSERT_EQ(squares.size(), ranks.model.tensors().size());
    for (std::size_t t = 0; t < squares.size(); ++t) {
      const nn::Tensor& tensor = ranks.model.tensors()[t];
      double sum = 0.0;
      for (const float x : tensor.slice(std::span(gradient))) sum += double{x} * x;
      EXPECT_NEAR(squares[t], tensor.learns() ? sum : 0.0, 1e-12 * sum) << tensor.name;
      EXPECT_EQ(squares[t] > 0.0, !tensor.name.starts_with("layers.1.")) << tensor.name;
    }
  }
}

TEST(SquaredNorms, HaveTheSameBitsForAnyThreadsAndRanks) {
  for (const test::ModeCase& mode : test::at_ranks(test::kModes, world().size())) {
    SCOPED_TRACE(mode.name);
    TrainerOnRanks ranks(setup_of(mode), world()), alone(setup_of(mode), self());
    for (TrainerOnRanks* run : {&ranks, &alone}) run->trainer.compute_gradient();
    const auto one = squared_norms(*ranks.reducer, ranks.model.tensors(), world(), 1);
    for (const int threads : {2, 3, 7})
      EXPECT_EQ(squared_norms(*ranks.reducer, ranks.model.tensors(), world(), threads), one) << threads;
    if (mode.exact) {
      EXPECT_EQ(squared_norms(*alone.reducer, alone.model.tensors(), self(), 2), one);
    }
  }
}

TEST(ClipFactor, BringsTheNormDownAndNeverUp) {
  const double squares[] = {9.0, 0.0, 16.0};
  EXPECT_DOUBLE_EQ(clip_factor(1.0, squares), 1.0 / (5.0 + 1e-6));
  EXPECT_EQ(clip_factor(5.1, squares), 1.0);
  EXPECT_EQ(clip_factor(0.0, squares), 1.0);
  EXPECT_EQ(clip_factor(1.0, {}), 1.0);
}

}  // namespace
}  // namespace lockstep::train
