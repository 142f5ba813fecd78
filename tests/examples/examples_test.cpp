// What src/CONTRIBUTING.md shows works: each example does what a user would want of it, on any number of
// ranks.
#include <gtest/gtest.h>

#include <array>

#include "data/batch_loader.h"
#include "data/normalizer.h"
#include "double_reducer.h"
#include "majority_dataset.h"
#include "mpi_main.h"
#include "nn/dense.h"
#include "nn/initializer.h"
#include "offset_layer.h"
#include "train/trainer.h"

namespace lockstep::examples {
namespace {

using test::self;
using test::world;

// Sums what a layer hands over.
struct Collected final : nn::GradientSink {
  explicit Collected(std::size_t size) : sum(size) {}
  void add(const nn::GradientTerms& terms) override { kernels::add_column_sums(terms.dy, sum); }
  std::vector<float> sum;
};

// d(sum of dy y)/db by central differences of forward_in_double, and by backward.
TEST(OffsetLayer, BackwardIsTheSlopeOfForward) {
  const Offset layer(3);
  std::array<float, 6> x = {1, 2, 3, 4, 5, 6}, y{}, dy = {0.5F, -1, 2, 1.5F, 0, 1};
  const std::array<float, 3> params = {10, 20, 30};
  layer.forward({x.data(), 2, 3}, params, {y.data(), 2, 3}, {});
  EXPECT_EQ(y, (std::array<float, 6>{11, 22, 33, 14, 25, 36}));
  Collected sink(3);
  layer.backward({x.data(), 2, 3}, {y.data(), 2, 3}, {dy.data(), 2, 3}, params, 0, sink, {dy.data(), 2, 3},
                 {});
  const std::vector<double> x64(x.begin(), x.end());
  for (std::size_t k = 0; k < 3; ++k) {
    constexpr double kStep = 1e-3;
    double slope = 0.0;
    for (const double sign : {1.0, -1.0}) {
      std::vector<double> moved(params.begin(), params.end()), y64(6);
      moved[k] += sign * kStep;
      layer.forward_in_double(x64, moved, y64, {});
      for (std::size_t i = 0; i < 6; ++i) slope += sign * dy[i] * y64[i] / (2.0 * kStep);
    }
    EXPECT_NEAR(sink.sum[k], slope, 1e-6) << k;
  }
}

// Trains on the data set; `own`: with the example's reducer instead of the exact one. Returns the weights.
std::vector<float> trained(const comm::Communicator& communicator, bool own, train::Score& score) {
  const Majority majority;
  const data::ShardPlan plan(512, 8, 64, data::Shuffle::kShards, 1);
  data::BatchLoader loader(
      majority, plan, data::ShardDivision(plan.shards(), communicator.size()).of_rank(communicator.rank()));
  nn::ModelOptions options;
  options.hidden = {32};
  options.activation = kernels::Activation::kTanh;
  const nn::Model model(options, 9, 2);
  const data::Normalizer normalizer(
      data::Normalization::kNone, majority.info(), loader.samples(),
      {.sum = [&](std::span<std::int64_t> x) { communicator.allreduce_sum(x); },
       .max = [&](std::span<std::int64_t> x) { communicator.allreduce_max(x); }});
  std::unique_ptr<reduce::Reducer> reducer;
  if (own)
    reducer = std::make_unique<DoubleReducer>(model, communicator);
  else
    reducer = reduce::make_reducer({}, model, data::blocks_per_step(plan), communicator, 1);
  AlignedBuffer<float> parameters(model.parameters());
  nn::initialize(model.tensors(), 1, parameters.span());
  train::TrainOptions train;
  train.optimizer = {.learning_rate = 0.1, .momentum = 0.9};
  train::Trainer trainer({communicator, plan, loader, normalizer, model, options.loss, *reducer, 1, 1}, train,
                         std::move(parameters));
  for (int epoch = 0; epoch < 30; ++epoch) score = *trainer.epoch(nullptr);
  return {trainer.parameters().begin(), trainer.parameters().end()};
}

TEST(MajorityDataset, IsLearnt) {
  train::Score score;
  trained(world(), /*own=*/false, score);
  EXPECT_EQ(score.samples, 512);
  EXPECT_GT(score.correct, 490);
}

TEST(DoubleReducer, GivesTheRunOfOneRank) {
  train::Score together, alone;
  const auto weights = trained(world(), /*own=*/true, together);
  EXPECT_EQ(weights, trained(self(), /*own=*/true, alone));
  EXPECT_EQ(together.correct, alone.correct);
  EXPECT_GT(together.correct, 490);
}

}  // namespace
}  // namespace lockstep::examples
