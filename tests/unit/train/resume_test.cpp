// A run that is stopped at any step and goes on from a checkpoint, on any number of ranks, is the run that
// was not.
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "modes.h"
#include "mpi_main.h"
#include "train/checkpoint.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using test::RunResult;
using test::RunSetup;
using test::TrainerOnRanks;

using test::self;
using test::world;

// 131 samples, 9 shards and batches of 36: 4 steps per epoch, the last of them short.
RunSetup setup_of(reduce::Mode mode = reduce::Mode::kExact) {
  RunSetup setup;
  setup.samples = 131;
  setup.shards = 9;
  setup.train.batch_size = 36;
  setup.train.epochs = 5;
  setup.shuffle = data::Shuffle::kShards;
  setup.reduce.mode = mode;
  return setup;
}

RunSetup setup_with_everything() {
  RunSetup setup = setup_of();
  setup.train.optimizer = {.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .l2 = 0.001};
  setup.model.hidden = {12, 7};
  setup.model.dropout = 0.3;
  setup.train.schedule = {.kind = optim::ScheduleOptions::Kind::kCosine, .warmup_epochs = 1.5};
  return setup;
}

// Checkpoint files' contents by the number of steps done: 0, 1, ... to the end.
using Checkpoints = std::vector<std::string>;

// The first `ranks` of this job train; all get what rank 0 would have saved after every step.
Checkpoints checkpoints_of(const RunSetup& setup, int ranks) {
  const comm::Communicator group = world().split(world().rank() < ranks ? 0 : 1);
  Checkpoints contents(setup.steps() + 1);
  if (world().rank() < ranks) {
    TrainerOnRanks run(setup, group);
    const test::TemporaryFolder folder;
    const auto keep = [&] {
      save_checkpoint(folder.path() / "file", run.model.tensors(), {run.trainer.state(), {}});
      contents[run.trainer.steps_done()] = read_file(folder.path() / "file");
    };
    keep();
    while (run.trainer.epochs_done() < setup.train.epochs) {
      run.trainer.epoch([&](const StepReport&) {
        if (run.trainer.step_in_epoch() != 0) keep();
      });
      keep();
    }
  }
  for (std::string& content : contents) world().broadcast(content, 0);
  return contents;
}

// The first `ranks` of this job go on. Nothing on the others.
std::optional<RunResult> go_on(const RunSetup& setup, const std::string& content, int ranks,
                               int threads = 1) {
  const comm::Communicator group = world().split(world().rank() < ranks ? 0 : 1);
  if (world().rank() >= ranks) return std::nullopt;
  TrainerOnRanks run(setup, group, threads);
  run.trainer.restore(parse_checkpoint(content, "checkpoint", run.model.tensors()).training);
  return test::run_to_the_end(run, setup);
}

// The steps and epochs that follow `step`, and the weights at the end, are those of the whole run.
void expect_end_of(const RunResult& whole, const RunResult& rest, std::size_t step) {
  SCOPED_TRACE("from step " + std::to_string(step));
  ASSERT_EQ(rest.steps.size(), whole.steps.size() - step);
  for (std::size_t i = 0; i < rest.steps.size(); ++i) {
    const StepReport &a = rest.steps[i], &b = whole.steps[step + i];
    EXPECT_EQ(a.step, b.step);
    EXPECT_EQ(a.epoch, b.epoch);
    EXPECT_EQ(a.loss(), b.loss());
    EXPECT_EQ(a.sums.correct, b.sums.correct);
    EXPECT_EQ(a.learning_rate, b.learning_rate);
    EXPECT_EQ(a.repeats, b.repeats);
  }
  const std::size_t skipped = whole.epochs.size() - rest.epochs.size();
  for (std::size_t e = 0; e < rest.epochs.size(); ++e) {
    EXPECT_EQ(rest.epochs[e].loss, whole.epochs[skipped + e].loss);
    EXPECT_EQ(rest.epochs[e].correct, whole.epochs[skipped + e].correct);
    EXPECT_EQ(rest.epochs[e].samples, whole.epochs[skipped + e].samples);
  }
  EXPECT_TRUE(test::same_bits(rest.parameters, whole.parameters));
  EXPECT_TRUE(test::same_bits(rest.average, whole.average));
}

// From every step, on every number of ranks, with checkpoints of 1 rank and of all.
void expect_same_run_from_anywhere(const RunSetup& setup) {
  const RunResult whole = test::run_trainer(setup, self());
  const Checkpoints of_one = checkpoints_of(setup, 1);
  EXPECT_TRUE(of_one == checkpoints_of(setup, world().size()));  // the files are the same, byte for byte
  for (std::size_t step = 0; step < of_one.size(); ++step) {
    const int ranks = 1 + static_cast<int>(step) % world().size();
    const auto rest = go_on(setup, of_one[step], ranks, 1 + static_cast<int>(step) % 2);
    if (rest) expect_end_of(whole, *rest, step);
  }
}

TEST(Resume, GoesOnWithTheSameBitsOnAnyNumberOfRanks) { expect_same_run_from_anywhere(setup_of()); }

TEST(Resume, GoesOnWithTheSameBitsWithMomentumDropoutAndSchedule) {
  expect_same_run_from_anywhere(setup_with_everything());
}

TEST(Resume, GoesOnWithTheSameBitsWithEveryOptimizerAndAnAverage) {
  using Kind = optim::OptimizerOptions::Kind;
  for (const Kind kind : {Kind::kSgd, Kind::kAdam, Kind::kAdamW, Kind::kLars}) {
    RunSetup setup = setup_with_everything();
    setup.train.optimizer.kind = kind;
    setup.train.optimizer.weight_decay = 0.01;
    setup.train.clip_norm = 0.5;
    setup.train.average_decay = 0.9;
    expect_same_run_from_anywhere(setup);
  }
}

// A new run with other settings takes over what means the same there.
TEST(Resume, ANewRunBeginsWithTheWeightsAndTheMomentumOfTheSameOptimizer) {
  using Kind = optim::OptimizerOptions::Kind;
  RunSetup setup = setup_with_everything();
  setup.train.average_decay = 0.9;
  TrainerOnRanks first(setup, self());
  for (int step = 0; step < 7; ++step) first.trainer.step();
  const TrainingState state = first.trainer.state();
  for (const Kind kind : {Kind::kSgd, Kind::kAdam, Kind::kLars}) {
    RunSetup other = setup;
    other.train.optimizer.kind = kind;
    TrainerOnRanks second(other, self());
    const TrainingState untouched = second.trainer.state();
    EXPECT_EQ(second.trainer.takes_momentum_of(state), kind == Kind::kSgd);
    second.trainer.begin_with(state);
    EXPECT_EQ(second.trainer.steps_done(), 0U);
    EXPECT_TRUE(test::same_bits(second.trainer.parameters(), state.parameters));
    EXPECT_TRUE(test::same_bits(second.trainer.average(), state.parameters));
    EXPECT_EQ(second.trainer.state().optimizer, kind == Kind::kSgd ? state.optimizer : untouched.optimizer);
  }
  TrainerOnRanks adam(
      [&] {
        RunSetup other = setup;
        other.train.optimizer.kind = Kind::kAdam;
        return other;
      }(),
      self());
  EXPECT_FALSE(adam.trainer.takes_momentum_of(adam.trainer.state()));
}

TEST(Resume, GoesOnWithTheSameBitsInFileOrder) {
  RunSetup setup = setup_with_everything();
  setup.shuffle = data::Shuffle::kNone;
  expect_same_run_from_anywhere(setup);
}

// Loss and scales move by orders of magnitude: a step is repeated where its exponents are not those of the
// last.
TEST(Resume, GoesOnWithTheScalesOfTheStepBefore) {
  RunSetup setup = setup_of();
  setup.model.loss = kernels::Loss::kMse;
  setup.model.init = "normal(30)";
  setup.train.optimizer.learning_rate = 1e-4;
  const RunResult whole = test::run_trainer(setup, self());
  EXPECT_GT(whole.steps[0].repeats, 0U);
  expect_same_run_from_anywhere(setup);
}

TEST(Resume, GoesOnWithTheSameBitsOnAsManyRanksInFloatMode) {
  RunSetup setup = setup_with_everything();
  setup.reduce.mode = reduce::Mode::kFloat;
  const RunResult whole = test::run_trainer(setup, self());
  const Checkpoints checkpoints = checkpoints_of(setup, 1);
  for (std::size_t step = 0; step < checkpoints.size(); ++step) {
    const auto rest = go_on(setup, checkpoints[step], 1);
    if (rest) expect_end_of(whole, *rest, step);
  }
}

TEST(Resume, RefusesAStateOfAnotherOptimizerOrMode) {
  RunSetup with = setup_with_everything(), without = with;
  without.train.optimizer = {.learning_rate = 0.05};
  TrainerOnRanks a(with, self()), b(without, self());
  EXPECT_THROW(a.trainer.restore(b.trainer.state()), ModelError);
  EXPECT_THROW(b.trainer.restore(a.trainer.state()), ModelError);
  without = with;
  without.train.average_decay = 0.5;
  TrainerOnRanks averaged(without, self());
  EXPECT_THROW(a.trainer.restore(averaged.trainer.state()), ModelError);
  EXPECT_THROW(averaged.trainer.restore(a.trainer.state()), ModelError);
  TrainingState state = a.trainer.state();
  state.parameters.pop_back();
  EXPECT_THROW(a.trainer.restore(state), ModelError);
  for (const std::vector<std::int32_t>& exponents :
       {std::vector<std::int32_t>{}, {1, 2, 3}, {1, 2, 3, 4, 5, 127}}) {
    state = a.trainer.state();
    state.reducer = exponents;
    EXPECT_ANY_THROW(a.trainer.restore(state));
  }
  with.reduce.mode = reduce::Mode::kFloat;
  TrainerOnRanks c(with, self());
  EXPECT_ANY_THROW(c.trainer.restore(a.trainer.state()));
}

// Every step is the last before the time is over.
TEST(Resume, ATimeThatIsOverStopsAfterAStepOnEveryRank) {
  RunSetup setup = setup_with_everything();
  const RunResult whole = test::run_trainer(setup, self());
  setup.train.max_seconds = 1e-9;
  TrainerOnRanks run(setup, world());
  for (std::size_t step = 1; step <= setup.steps(); ++step) {
    std::size_t observed = 0;
    const auto score = run.trainer.epoch([&](const StepReport& report) {
      ++observed;
      EXPECT_EQ(report.stop.timeouts, 1);
      EXPECT_EQ(report.stop.interrupts + report.stop.terminations, 0);
    });
    EXPECT_EQ(observed, 1U);
    EXPECT_EQ(run.trainer.steps_done(), step);
    EXPECT_EQ(score.has_value(), run.trainer.step_in_epoch() == 0);
    if (score) {
      EXPECT_EQ(score->loss, whole.epochs[run.trainer.epochs_done() - 1].loss);
    }
  }
  EXPECT_TRUE(test::same_bits(run.trainer.parameters(), whole.parameters));
}

TEST(Resume, ATimeThatIsNotOverStopsNothing) {
  for (const double seconds : {0.0, 3600.0, 1e10, 9.9e29}) {
    RunSetup setup = setup_of();
    setup.train.max_seconds = seconds;
    TrainerOnRanks run(setup, world());
    EXPECT_TRUE(run.trainer.epoch({}).has_value()) << seconds;
  }
}

}  // namespace
}  // namespace lockstep::train
