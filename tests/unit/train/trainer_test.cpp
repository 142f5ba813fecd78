// train::Trainer against the reference trainer, step by step, over some fifty steps, on all ranks of this
// job.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "layer_lists.h"
#include "modes.h"
#include "mpi_main.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using kernels::Activation;
using kernels::Loss;
using test::RunSetup;

using test::world;

// How far apart two arenas are, relative to the second's norm.
double distance(std::span<const double> a, std::span<const float> b) {
  double difference = 0.0, norm = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(a[i] - b[i], 2);
    norm += std::pow(b[i], 2);
  }
  return std::sqrt(difference / norm);
}

// Losses within 1e-5, counts equal but for samples at the edge, weights within 1e-4 of their tensor's norm;
// with every way of reducing at full width.
void expect_reference(RunSetup setup) {
  const auto reference = test::run_reference(setup);
  EXPECT_GT(distance(reference.parameters, setup.initial().span()),
            0.01);  // so that there is something to compare
  for (const test::ModeCase& mode : test::at_ranks(test::kFullModes, world().size())) {
    SCOPED_TRACE(mode.name);
    setup.reduce = mode.options;
    const auto run = test::run_trainer(setup, world());
    ASSERT_EQ(run.steps.size(), reference.steps.size());
    std::size_t miscounted = 0;
    for (std::size_t t = 0; t < run.steps.size(); ++t) {
      const auto& [samples, correct, loss] = reference.steps[t];
      EXPECT_EQ(run.steps[t].step, t + 1);
      EXPECT_EQ(run.steps[t].sums.samples, static_cast<std::int64_t>(samples));
      EXPECT_NEAR(run.steps[t].loss(), loss, 1e-5 * loss) << "step " << t + 1;
      miscounted += run.steps[t].sums.correct != static_cast<std::int64_t>(correct);
    }
    EXPECT_LE(miscounted, 1U);
    test::expect_close_tensors(setup.network(), run.parameters, reference.parameters, 1e-4);
    if (setup.train.average_decay != 0.0)
      test::expect_close_tensors(setup.network(), run.average, reference.average, 1e-4);
  }
}

template <typename Change>
RunSetup setup_with(Change&& change) {
  RunSetup setup;
  change(setup);
  return setup;
}

TEST(Trainer, IsTheReferenceForEveryLoss) {
  test::for_every<Loss>([](Loss loss) {
    expect_reference(setup_with([&](RunSetup& s) {
      s.model.loss = loss;
      if (loss == Loss::kBinaryCrossEntropy) s.classes = 2;
    }));
  });
}

TEST(Trainer, IsTheReferenceForASingleOutput) {
  for (const Loss loss : {Loss::kMse, Loss::kHalfMse})
    for (const std::size_t classes : {0, 2})  // values, and two classes as 0 and 1
      expect_reference(setup_with([&](RunSetup& s) {
        s.model.loss = loss;
        s.model.outputs = 1;
        s.classes = classes;
      }));
}

TEST(Trainer, IsTheReferenceForEveryActivation) {
  test::for_every<Activation>([](Activation activation) {
    expect_reference(setup_with([&](RunSetup& s) { s.model.activation = activation; }));
  });
}

TEST(Trainer, IsTheReferenceForEveryDepth) {
  for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{}, {1}, {9, 5}, {5, 6, 7}})
    expect_reference(setup_with([&](RunSetup& s) { s.model.hidden = hidden; }));
}

TEST(Trainer, IsTheReferenceWithEveryOptimizer) {
  using Kind = optim::OptimizerOptions::Kind;
  const optim::OptimizerOptions optimizers[] = {
      {.learning_rate = 0.1, .l2 = 0.01},
      {.learning_rate = 0.03, .momentum = 0.9},
      {.learning_rate = 0.03, .momentum = 0.9, .l2 = 0.01},
      {.learning_rate = 0.03, .momentum = 0.9, .nesterov = true},
      {.learning_rate = 0.03, .momentum = 0.9, .nesterov = true, .l2 = 0.01},
      {.learning_rate = 0.1, .weight_decay = 0.02},
      {.kind = Kind::kAdam, .learning_rate = 0.01, .epsilon = 1e-3},
      {.kind = Kind::kAdam, .learning_rate = 0.01, .epsilon = 1e-3, .l2 = 0.01, .weight_decay = 0.02},
      {.kind = Kind::kAdamW, .learning_rate = 0.01, .epsilon = 1e-3, .weight_decay = 0.02},
      {.kind = Kind::kLars, .learning_rate = 0.1, .trust_coefficient = 0.1},
      {.kind = Kind::kLars,
       .learning_rate = 0.03,
       .momentum = 0.9,
       .nesterov = true,
       .trust_coefficient = 0.1,
       .l2 = 0.01,
       .weight_decay = 0.02},
      {.learning_rate = 0.03, .momentum = 0.9, .nesterov = true, .l2 = 0.01, .weight_decay = 0.02}};
  for (const auto& sgd : optimizers)
    for (const Loss loss : {Loss::kCrossEntropy, Loss::kMse})
      expect_reference(setup_with([&](RunSetup& s) {
        s.train.optimizer = sgd;
        s.model.loss = loss;
      }));
}

TEST(Trainer, IsTheReferenceWithAClippedGradient) {
  using Kind = optim::OptimizerOptions::Kind;
  for (const Kind kind : {Kind::kSgd, Kind::kAdam, Kind::kLars})
    for (const double norm : {0.05, 0.5, 1e6})
      expect_reference(setup_with([&](RunSetup& s) {
        s.train.optimizer = {.kind = kind,
                             .learning_rate = kind == Kind::kAdam ? 0.01 : 0.5,
                             .epsilon = 1e-3,
                             .trust_coefficient = 0.1,
                             .l2 = 0.01};
        s.train.clip_norm = norm;
      }));
}

TEST(Trainer, AveragesAsTheReference) {
  for (const double decay : {0.5, 0.95})
    for (const bool frozen : {false, true})
      expect_reference(setup_with([&](RunSetup& s) {
        s.model.layers = {test::dense(8), test::pointwise(s.model.activation), test::dense()};
        s.model.layers.front().frozen = frozen;
        s.train.average_decay = decay;
      }));
}

// A layer's own share of the learning rate and of the L2 term, and a layer that stays as it is.
TEST(Trainer, IsTheReferenceWithFactorsOfLayers) {
  for (const int frozen : {0, 1, 2})  // none, the first, the second
    for (const optim::OptimizerOptions& sgd :
         {optim::OptimizerOptions{.learning_rate = 0.1, .l2 = 0.01},
          optim::OptimizerOptions{.learning_rate = 0.03, .momentum = 0.9, .nesterov = true, .l2 = 0.01},
          optim::OptimizerOptions{.learning_rate = 0.03, .momentum = 0.9, .weight_decay = 0.02}})
      expect_reference(setup_with([&](RunSetup& s) {
        nn::LayerOptions first = test::dense(8), second = test::dense(6), last = test::dense();
        first.learning_rate_factor = 0.25;
        first.weight_decay_factor = 4.0;
        first.frozen = frozen == 1;
        second.frozen = frozen == 2;
        last.learning_rate_factor = 2.0;
        last.weight_decay_factor = 0.0;
        const nn::LayerOptions activation = test::pointwise(s.model.activation);
        s.model.layers = {first, activation, second, activation, last};
        s.train.optimizer = sgd;
      }));
}

TEST(Trainer, AFrozenLayerKeepsItsBits) {
  RunSetup setup;
  setup.model.layers = {test::dense(8), test::pointwise(Activation::kTanh), test::dense()};
  setup.model.layers.front().frozen = true;
  setup.model.bias_init = "normal(0.5)";
  setup.train.optimizer = {.learning_rate = 0.1, .momentum = 0.9, .l2 = 0.01};
  const auto initial = setup.initial();
  const auto run = test::run_trainer(setup, world());
  const nn::Model network = setup.network();
  for (const nn::Tensor& tensor : network.tensors())
    EXPECT_EQ(test::same_bits(tensor.slice(std::span(run.parameters)), tensor.slice(initial.span())),
              tensor.name.starts_with("layers.0."))
        << tensor.name;
}

TEST(Trainer, IsTheReferenceWithSmoothedLabels) {
  for (const std::size_t classes : {4, 2})
    expect_reference(setup_with([&](RunSetup& s) {
      s.classes = classes;
      s.train.label_smoothing = 0.3;
    }));
}

TEST(Trainer, IsTheReferenceWithEverySchedule) {
  using Kind = optim::ScheduleOptions::Kind;
  for (const Kind kind : {Kind::kConstant, Kind::kStep, Kind::kCosine, Kind::kTriangular})
    expect_reference(setup_with([&](RunSetup& s) {
      s.train.schedule = {.kind = kind, .warmup_epochs = 2.5, .step_epochs = 5, .step_factor = 0.5};
    }));
}

// A batch as large as the set, larger than it, of one sample a shard; shards that samples do not fill.
TEST(Trainer, IsTheReferenceForEveryBatchSize) {
  for (const std::size_t batch : {8, 24, 56, 64, 800})
    for (const std::size_t samples : {53, 56, 7, 4})
      expect_reference(setup_with([&](RunSetup& s) {
        s.train.batch_size = batch;
        s.samples = samples;
        s.train.epochs = 10;
      }));
}

TEST(Trainer, IsTheReferenceInTheOrderOfTheShards) {
  for (const std::size_t batch : {8, 24, 800})
    for (const std::uint64_t seed : {1, 2})
      expect_reference(setup_with([&](RunSetup& s) {
        s.shuffle = data::Shuffle::kShards;
        s.train.batch_size = batch;
        s.train.epochs = 10;
        s.seed = seed;
      }));
}

// More rows than fit one pass of one rank.
TEST(Trainer, IsTheReferenceForABatchOfSeveralPasses) {
  expect_reference(setup_with([](RunSetup& s) {
    s.samples = 9001;
    s.train.batch_size = 9600;
    s.train.epochs = 2;
  }));
}

TEST(Trainer, AnEpochsScoreIsTheRunningMeanOverItsSamples) {
  RunSetup setup;
  setup.train.optimizer.l2 = 0.01;
  const auto run = test::run_trainer(setup, world());
  const std::size_t steps = run.steps.size() / run.epochs.size();
  for (std::size_t e = 0; e < run.epochs.size(); ++e) {
    double loss = 0.0;
    std::int64_t correct = 0, samples = 0;
    for (std::size_t t = e * steps; t < (e + 1) * steps; ++t) {
      loss += run.steps[t].loss() * static_cast<double>(run.steps[t].sums.samples);
      correct += run.steps[t].sums.correct;
      samples += run.steps[t].sums.samples;
      EXPECT_EQ(run.steps[t].epoch, e + 1);
    }
    EXPECT_EQ(samples, static_cast<std::int64_t>(setup.samples));
    EXPECT_EQ(run.epochs[e].samples, samples);
    EXPECT_EQ(run.epochs[e].correct, correct);
    EXPECT_NEAR(run.epochs[e].loss, loss / static_cast<double>(samples), 1e-12 * loss);
    EXPECT_EQ(run.epochs[e].accuracy(), static_cast<double>(correct) / static_cast<double>(samples));
  }
}

TEST(Trainer, ReportsTheLearningRateOfItsSchedule) {
  RunSetup setup;
  setup.train.schedule = {.kind = optim::ScheduleOptions::Kind::kCosine, .warmup_epochs = 3.0};
  const auto run = test::run_trainer(setup, world());
  const optim::Schedule schedule(setup.train.schedule, setup.train.optimizer.learning_rate,
                                 setup.train.epochs, 3);
  for (std::size_t t = 0; t < run.steps.size(); ++t)
    EXPECT_EQ(run.steps[t].learning_rate, schedule.learning_rate(t));
}

// Losses of 1e18 are beyond what can be summed; the gradients are large, but finite. No learning rate is to
// blame before the first update.
TEST(Trainer, ALossTooLargeToSumEndsTraining) {
  for (const test::ModeCase& mode : test::at_ranks(test::kModes, world().size())) {
    RunSetup setup;
    setup.reduce = mode.options;
    setup.model.loss = Loss::kMse;
    setup.model.init = "normal(1e9)";
    test::expect_line_with(
        test::message_of<comm::CollectiveError>([&] { test::run_trainer(setup, world()); }),
        {"training cannot begin", "too large to be summed", "data.normalize", "model.init"});
  }
}

// Every rank learns of it, wherever the first bad number is.
TEST(Trainer, DivergenceIsAnErrorOnEveryRankThatNamesTheStep) {
  for (const test::ModeCase& mode : test::at_ranks(test::kModes, world().size())) {
    for (const Loss loss : {Loss::kMse, Loss::kCrossEntropy}) {
      RunSetup setup;
      setup.reduce = mode.options;
      setup.model.loss = loss;
      setup.model.activation = Activation::kIdentity;
      setup.train.optimizer.learning_rate = 1e25;
      const std::string message =
          test::message_of<comm::CollectiveError>([&] { test::run_trainer(setup, world()); });
      test::expect_line_with(message, {"diverged at step ", "(epoch ", "train.learning_rate"});
      std::string of_first = message;
      world().broadcast(of_first, 0);
      EXPECT_EQ(message, of_first);
    }
  }
}

// More rows than one pass holds, and the bad sample among the first: later passes know nothing of it.
TEST(Trainer, DivergenceNamesTheLayerWhicheverPassTheSampleIsIn) {
  const test::TemporaryFolder folder;
  constexpr std::size_t kSamples = 24000;
  {
    std::ofstream csv(folder.path() / "points.csv");
    for (std::size_t i = 0; i < kSamples; ++i) csv << (i == 3 ? "9e37" : "0.5") << ",1," << i % 2 << '\n';
  }
  for (const test::ModeCase& mode : test::kModes) {
    RunSetup setup;
    setup.reduce = mode.options;
    setup.points.emplace();
    setup.points->dataset = "csv";
    setup.points->file = folder.path() / "points.csv";
    setup.points->normalize = setup.normalize = data::Normalization::kNone;
    setup.model.init = "normal(100)";
    setup.model.activation = Activation::kIdentity;
    setup.train.batch_size = kSamples;
    test::expect_line_with(
        test::message_of<comm::CollectiveError>([&] { test::run_trainer(setup, world()); }),
        {"diverged at step 1 ", "the output of layer 0 (Dense 2 -> 8) is not finite"});
  }
}

}  // namespace
}  // namespace lockstep::train
