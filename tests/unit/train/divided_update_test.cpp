// The update divided among ranks: the run of one rank, whoever updates what and however the sums travel.
#include <gtest/gtest.h>

#include "hosts.h"
#include "layer_lists.h"
#include "mpi_main.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using Kind = optim::OptimizerOptions::Kind;
using reduce::Levels;
using reduce::Overlap;
using reduce::ReduceOptions;
using reduce::Update;
using reduce::Wire;
using test::RunResult;
using test::RunSetup;
using test::TrainerOnRanks;

using test::self;
using test::world;

// Tensors of several chunks, one of them frozen, and statistics; as few steps as show a difference.
RunSetup setup_of(Kind kind) {
  RunSetup setup;
  setup.samples = 131;
  setup.shards = 9;
  setup.train.batch_size = 36;
  setup.train.epochs = 1;
  setup.shuffle = data::Shuffle::kShards;
  setup.train.optimizer = {.kind = kind,
                           .learning_rate = 0.01,
                           .momentum = 0.9,
                           .nesterov = kind == Kind::kSgd,
                           .l2 = 0.001,
                           .weight_decay = 0.01};
  setup.train.clip_norm = 0.3;
  setup.train.average_decay = 0.9;
  const auto tanh = test::pointwise(kernels::Activation::kTanh);
  const nn::LayerOptions norm = {.kind = nn::LayerOptions::Kind::kBatchNorm};
  setup.model.layers = {test::dense(130), norm, tanh,         test::dense(90), tanh,
                        test::dense(95),  tanh, test::dense()};
  setup.model.layers[3].frozen = true;
  return setup;
}

void expect_same(const RunResult& a, const RunResult& b) {
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t t = 0; t < a.steps.size(); ++t) {
    EXPECT_EQ(a.steps[t].loss(), b.steps[t].loss()) << "step " << t + 1;
    EXPECT_EQ(a.steps[t].sums.correct, b.steps[t].sums.correct);
    EXPECT_EQ(a.steps[t].repeats, b.steps[t].repeats);
  }
  EXPECT_TRUE(test::same_bits(a.parameters, b.parameters));
  EXPECT_TRUE(test::same_bits(a.average, b.average));
}

TEST(DividedUpdate, OnSeveralHostsGivesTheRunOfOneRankInEveryWay) {
  const ReduceOptions ways[] = {
      {.update = Update::kDivided},
      {.update = Update::kDivided, .bucket_bytes = 20000},
      {.update = Update::kDivided, .overlap = Overlap::kNever},
      {.update = Update::kDivided, .levels = Levels::kOne},
      {.update = Update::kDivided, .levels = Levels::kOne, .overlap = Overlap::kNever},
      {.update = Update::kEverywhere},
      {.update = Update::kDivided, .levels = Levels::kTwo, .bucket_bytes = 4},
      {.update = Update::kDivided, .shared_memory = false}};
  const RunResult one = test::run_trainer(setup_of(Kind::kSgd), self());
  for (const auto& hosts : test::layouts_of_hosts(world().size())) {
    const comm::Communicator ranks = world().taken_to_be_on(hosts);
    for (const ReduceOptions& options : ways) {
      RunSetup setup = setup_of(Kind::kSgd);
      setup.reduce = options;
      SCOPED_TRACE(testing::Message() << (&options - &ways[0]) << " of the ways, host " << hosts.back());
      expect_same(test::run_trainer(setup, ranks, /*threads=*/2), one);
    }
  }
}

TEST(DividedUpdate, OnSeveralHostsGivesTheRunOfOneRankWithEveryOptimizer) {
  for (const Kind kind : {Kind::kSgd, Kind::kAdam, Kind::kAdamW, Kind::kLars}) {
    RunSetup setup = setup_of(kind);
    const RunResult one = test::run_trainer(setup, self());
    expect_same(test::run_trainer(setup, world()), one);  // on one host
    for (const auto& hosts : test::layouts_of_hosts(world().size()))
      expect_same(test::run_trainer(setup, world().taken_to_be_on(hosts)), one);
  }
}

TEST(DividedUpdate, OnSeveralHostsGivesTheRunOfOneRankWithNarrowSums) {
  RunSetup setup = setup_of(Kind::kSgd);
  setup.reduce.wire = Wire::kInt16;
  const RunResult one = test::run_trainer(setup, self());
  for (const auto& hosts : test::layouts_of_hosts(world().size()))
    expect_same(test::run_trainer(setup, world().taken_to_be_on(hosts)), one);
}

TEST(DividedUpdate, OfFloatSumsAgreesToRounding) {
  for (const Wire wire : {Wire::kFull, Wire::kBf16}) {
    RunSetup setup = setup_of(Kind::kSgd);
    setup.reduce = {.mode = reduce::Mode::kFloat, .wire = wire};
    const RunResult one = test::run_trainer(setup, self());
    for (const auto& hosts : test::layouts_of_hosts(world().size())) {
      const RunResult all = test::run_trainer(setup, world().taken_to_be_on(hosts));
      for (std::size_t t = 0; t < one.steps.size(); ++t)
        EXPECT_NEAR(all.steps[t].loss(), one.steps[t].loss(), wire == Wire::kFull ? 1e-4 : 2e-2);
    }
  }
}

TEST(DividedUpdate, BeforeTheFirstStepTheAverageIsOfTheFirstWeights) {
  const RunSetup setup = setup_of(Kind::kSgd);
  for (const auto& hosts : test::layouts_of_hosts(world().size())) {
    const comm::Communicator ranks = world().taken_to_be_on(hosts);
    TrainerOnRanks run(setup, ranks);
    EXPECT_TRUE(test::same_bits(run.trainer.average(), run.trainer.parameters()));
  }
}

// A network whose layers begin while the parameters of others arrive, in several messages: dense layers of
// several slices, statistics, a frozen layer.
RunSetup setup_of_wide_layers() {
  RunSetup setup = setup_of(Kind::kSgd);
  setup.train.clip_norm = 0.0;  // norms need all of the sum
  const auto tanh = test::pointwise(kernels::Activation::kTanh);
  const nn::LayerOptions norm = {.kind = nn::LayerOptions::Kind::kBatchNorm};
  setup.model.layers = {test::dense(300), norm, tanh,         test::dense(260), tanh,
                        test::dense(40),  tanh, test::dense()};
  setup.model.layers[5].frozen = true;
  setup.reduce.bucket_bytes = 50000;
  return setup;
}

TEST(DividedUpdate, GoesOnWhileParametersArriveWithTheBitsOfOneRank) {
  RunSetup setup = setup_of_wide_layers();
  const RunResult one = test::run_trainer(setup, self());
  for (const Levels levels : {Levels::kAuto, Levels::kOne}) {
    for (const std::size_t bytes : {0, 4, 50000}) {
      setup.reduce.levels = levels;
      setup.reduce.bucket_bytes = bytes;
      for (const auto& hosts : test::layouts_of_hosts(world().size()))
        expect_same(test::run_trainer(setup, world().taken_to_be_on(hosts)), one);
    }
  }
}

// Whoever looks between two steps, on all ranks or on one, sees what all have updated.
TEST(DividedUpdate, IsWholeForWhoeverLooksBetweenTwoSteps) {
  RunSetup setup = setup_of_wide_layers();
  setup.train.epochs = 2;
  const auto seen = [&](const comm::Communicator& ranks) {
    TrainerOnRanks run(setup, ranks);
    std::vector<std::vector<float>> all;
    const auto keep = [&](std::span<const float> values) { all.emplace_back(values.begin(), values.end()); };
    const auto look = [&](const StepReport& report) {
      switch (report.step % 5) {
        case 0:
          return keep(run.reducer->gradient());
        case 1:
          return keep(run.trainer.state_view().parameters);
        case 2:
          return keep(run.trainer.average());
        case 3:
          if (ranks.rank() == 0) keep(run.trainer.parameters());
      }
    };
    while (run.trainer.epochs_done() < setup.train.epochs) run.trainer.epoch(look);
    return all;
  };
  const auto expected = seen(self());
  for (const auto& hosts : test::layouts_of_hosts(world().size())) {
    const auto all = seen(world().taken_to_be_on(hosts));
    if (world().rank() != 0) continue;
    ASSERT_EQ(all.size(), expected.size());
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(test::same_bits(all[i], expected[i])) << i;
  }
}

// A run that was interrupted goes on with another division.
TEST(DividedUpdate, GoesOnFromTheStateOfAnyOther) {
  for (const Kind kind : {Kind::kSgd, Kind::kAdam}) {
    RunSetup setup = setup_of(kind);
    setup.train.epochs = 2;
    const RunResult whole = test::run_trainer(setup, self());
    const comm::Communicator hosts = world().taken_to_be_on(test::layouts_of_hosts(world().size()).front());
    std::vector<const comm::Communicator*> groups = {&world(), &hosts};
    for (const comm::Communicator* before : groups) {
      for (const comm::Communicator* after : groups) {
        for (const Update update : {Update::kDivided, Update::kEverywhere}) {
          TrainerOnRanks first(setup, *before);
          for (int step = 0; step < 3; ++step) first.trainer.step();
          TrainingState state = first.trainer.state();
          for (auto& [name, values] : first.trainer.state_view().optimizer)
            EXPECT_EQ(values.size(), state.parameters.size()) << name;
          // Rank 0 has it all, and would have saved it.
          for (const std::string& name : optim::state_names(setup.train.optimizer)) {
            std::vector<float>& values = state.optimizer[name];
            values.resize(state.parameters.size());
            world().broadcast(std::as_writable_bytes(std::span(values)), 0);
          }
          RunSetup other = setup;
          other.reduce.update = update;
          TrainerOnRanks rest(other, *after);
          rest.trainer.restore(state);
          const RunResult result = test::run_to_the_end(rest, other);
          EXPECT_TRUE(test::same_bits(result.parameters, whole.parameters));
          EXPECT_TRUE(test::same_bits(result.average, whole.average));
        }
      }
    }
  }
}

// Bytes that all ranks hold beside their replicas: one copy of the state and of the average, not one a rank.
TEST(DividedUpdate, KeepsTheOptimizersStateAndTheAverageOnce) {
  RunSetup setup = setup_of(Kind::kAdam), without = setup;
  without.train.optimizer.kind = Kind::kSgd;
  without.train.optimizer.momentum = 0.0;
  without.train.optimizer.nesterov = false;
  without.train.average_decay = 0.0;
  const auto held = [](const RunSetup& run) {
    auto bytes = static_cast<std::int64_t>(TrainerOnRanks(run, world()).trainer.bytes());
    world().allreduce_sum(std::span(&bytes, 1));
    return bytes;
  };
  const auto copy = static_cast<std::int64_t>(setup.network().parameters() * sizeof(float));
  EXPECT_EQ(held(setup) - held(without), 3 * copy);
  setup.reduce.update = without.reduce.update = Update::kEverywhere;
  EXPECT_EQ(held(setup) - held(without), 3 * copy * world().size());
}

}  // namespace
}  // namespace lockstep::train
