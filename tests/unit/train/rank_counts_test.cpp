// The run of all ranks of this job against the run of one rank, which every rank makes for itself.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "drawn_division.h"
#include "modes.h"
#include "mpi_main.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using test::ModeCase;
using test::RunResult;
using test::RunSetup;

using test::self;
using test::world;

// 131 samples, 9 shards and batches of 36: no number of ranks from 2 to 8 divides any but by chance.
RunSetup setup_of(const ModeCase& mode, data::Shuffle shuffle) {
  RunSetup setup;
  setup.samples = 131;
  setup.shards = 9;
  setup.train.batch_size = 36;
  setup.train.epochs = 6;
  setup.train.optimizer = {.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .l2 = 0.001};
  setup.shuffle = shuffle;
  setup.reduce = mode.options;
  return setup;
}

// Bit for bit where the mode promises it; else losses to ten times its rounding and counts within a sample or
// two.
void expect_same(const ModeCase& mode, const RunResult& a, const RunResult& b) {
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t t = 0; t < a.steps.size(); ++t) {
    EXPECT_EQ(a.steps[t].sums.samples, b.steps[t].sums.samples);
    if (!mode.exact) continue;
    EXPECT_EQ(a.steps[t].loss(), b.steps[t].loss()) << "step " << t + 1;
    EXPECT_EQ(a.steps[t].sums.correct, b.steps[t].sums.correct);
    EXPECT_EQ(a.steps[t].repeats, b.steps[t].repeats);
  }
  for (std::size_t e = 0; e < a.epochs.size(); ++e) {
    EXPECT_NEAR(a.epochs[e].loss, b.epochs[e].loss, mode.exact ? 0.0 : 10 * mode.rounding * b.epochs[e].loss);
    EXPECT_NEAR(static_cast<double>(a.epochs[e].correct), static_cast<double>(b.epochs[e].correct),
                mode.exact ? 0.0 : 2.0);
  }
  EXPECT_TRUE(!mode.exact || test::same_bits(a.parameters, b.parameters));
  EXPECT_EQ(a.average.size(), b.average.size());
  EXPECT_TRUE(!mode.exact || test::same_bits(a.average, b.average));
}

template <typename Body>
void for_every_mode_and_order(Body&& body) {
  for (const ModeCase& mode : test::at_ranks(test::kModes, world().size())) {
    for (const data::Shuffle shuffle : {data::Shuffle::kShards, data::Shuffle::kNone}) {
      SCOPED_TRACE(std::string(mode.name) + (shuffle == data::Shuffle::kNone ? ", not shuffled" : ""));
      body(mode, setup_of(mode, shuffle));
    }
  }
}

TEST(RankCounts, GiveTheRunOfOneRank) {
  for_every_mode_and_order([](const ModeCase& mode, const RunSetup& setup) {
    expect_same(mode, test::run_trainer(setup, world()), test::run_trainer(setup, self()));
  });
}

TEST(RankCounts, AndThreadsGiveTheRunOfOneThread) {
  for_every_mode_and_order([](const ModeCase& mode, RunSetup setup) {
    setup.model.hidden = {70, 40};  // enough elements for several threads
    const auto one = test::run_trainer(setup, self(), 1);
    for (const int threads : {2, 3}) expect_same(mode, test::run_trainer(setup, world(), threads), one);
  });
}

// Shards of 2 or 3 samples, of which the last steps leave some none; and shards without any sample.
TEST(RankCounts, GiveTheRunOfOneRankWhereSomeRanksHaveNothingToDo) {
  for_every_mode_and_order([](const ModeCase& mode, RunSetup setup) {
    for (const std::size_t samples : {22, 10, 4}) {
      setup.samples = samples;
      for (const std::size_t batch : {9, 18, 90}) {
        setup.train.batch_size = batch;
        expect_same(mode, test::run_trainer(setup, world()), test::run_trainer(setup, self()));
      }
    }
  });
}

// Ranks that have any of the shards, others after each step and in the middle of an epoch.
TEST(RankCounts, GiveTheRunOfOneRankHoweverShardsAreDivided) {
  for_every_mode_and_order([](const ModeCase& mode, const RunSetup& setup) {
    std::mt19937_64 engine(7);
    test::TrainerOnRanks ranks(setup, world());
    RunResult moved;
    while (ranks.trainer.epochs_done() < setup.train.epochs) {
      const data::ShardDivision division = test::drawn_division(setup.shards, world().size(), engine);
      ranks.trainer.go_on_with({ranks.loader, *setup.dataset(), division.of_rank(world().rank())});
      EXPECT_EQ(ranks.loader.shards(), division.of_rank(world().rank()));
      moved.steps.push_back(ranks.trainer.step());
    }
    moved.parameters.assign(ranks.trainer.parameters().begin(), ranks.trainer.parameters().end());
    expect_same(mode, moved, test::run_trainer(setup, self()));
  });
}

// With any number of ranks and threads the run of one; and not the run of `other`.
void expect_run_of_one_rank(const ModeCase& mode, const RunSetup& setup, const RunSetup& other) {
  const auto one = test::run_trainer(setup, self());
  EXPECT_NE(one.parameters, test::run_trainer(other, self()).parameters);
  for (const int threads : {1, 2}) expect_same(mode, test::run_trainer(setup, world(), threads), one);
}

TEST(RankCounts, GiveTheRunOfOneRankWithDropout) {
  for_every_mode_and_order([](const ModeCase& mode, RunSetup setup) {
    setup.model.hidden = {20, 10};
    const RunSetup without = setup;
    setup.model.dropout = 0.4;
    expect_run_of_one_rank(mode, setup, without);
    RunSetup other = setup;
    other.model.dropout = 0.3;
    expect_run_of_one_rank(mode, setup, other);
  });
}

TEST(RankCounts, GiveTheRunOfOneRankWithEveryOptimizerClippedAndAveraged) {
  using Kind = optim::OptimizerOptions::Kind;
  for_every_mode_and_order([](const ModeCase& mode, RunSetup setup) {
    const bool shuffled = setup.shuffle == data::Shuffle::kShards;
    for (const Kind kind : {shuffled ? Kind::kSgd : Kind::kAdam, shuffled ? Kind::kLars : Kind::kAdamW}) {
      setup.train.optimizer.kind = kind;
      setup.train.optimizer.learning_rate = 0.01;
      setup.train.optimizer.weight_decay = 0.001;
      const RunSetup without = setup;
      RunSetup with = setup;
      with.train.clip_norm = 0.2;
      with.train.average_decay = 0.9;
      expect_run_of_one_rank(mode, with, without);
    }
  });
}

// The points of a data set, four in five of them to train on.
data::DataOptions points_of(const std::string& dataset) {
  data::DataOptions points;
  points.dataset = dataset;
  points.n = 164;
  points.noise = 0.1;
  points.test_fraction = 0.2;
  return points;
}

TEST(RankCounts, GiveTheRunOfOneRankWithBinaryCrossEntropyOnCircle) {
  for_every_mode_and_order([](const ModeCase& mode, RunSetup setup) {
    setup.points = points_of("circle");
    setup.normalize = data::Normalization::kMeanStd;
    setup.model.loss = kernels::Loss::kBinaryCrossEntropy;
    setup.model.activation = kernels::Activation::kTanh;
    RunSetup other = setup;
    other.points->seed = 2;
    expect_run_of_one_rank(mode, setup, other);
    EXPECT_EQ(test::run_trainer(setup, world()).epochs.back().samples, 131);
  });
}

TEST(RankCounts, GiveTheRunOfOneRankWithValuesOfAFunction) {
  for_every_mode_and_order([](const ModeCase& mode, RunSetup setup) {
    setup.points = points_of("function");
    setup.model.loss = kernels::Loss::kMse;
    setup.model.activation = kernels::Activation::kTanh;
    RunSetup other = setup;
    other.points->function = data::Function::kKink;
    expect_run_of_one_rank(mode, setup, other);
  });
}

TEST(RankCounts, GiveEveryRankTheSameWeights) {
  for_every_mode_and_order([](const ModeCase&, const RunSetup& setup) {
    const auto run = test::run_trainer(setup, world());
    std::string of_first(reinterpret_cast<const char*>(run.parameters.data()), run.parameters.size() * 4);
    const std::string own = of_first;
    world().broadcast(of_first, 0);
    EXPECT_TRUE(own == of_first);
  });
}

}  // namespace
}  // namespace lockstep::train
