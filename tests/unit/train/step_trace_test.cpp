// A recorded step: it is the trainer's own, every array of it is what double precision gives, and what is not
// is seen.
#include "train/step_trace.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layer_lists.h"
#include "mpi_main.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using optim::OptimizerOptions;
using test::RunSetup;
using test::self;
using test::TrainerOnRanks;

// Networks and optimizers of every kind, with what a step may have beside them.
std::vector<RunSetup> setups() {
  using Kind = OptimizerOptions::Kind;
  using test::dense;
  std::vector<RunSetup> all(7);
  all[0].train.optimizer = {.learning_rate = 0.1, .momentum = 0.9, .l2 = 0.01};
  all[1].train.optimizer = {.kind = Kind::kAdam, .learning_rate = 0.01, .l2 = 0.01, .weight_decay = 0.1};
  all[2].train.optimizer = {.kind = Kind::kAdamW, .learning_rate = 0.01, .weight_decay = 0.1};
  all[3].train.optimizer = {
      .kind = Kind::kLars, .learning_rate = 0.1, .momentum = 0.9, .trust_coefficient = 0.02};
  all[3].train.clip_norm = 0.1;
  all[4].model.loss = kernels::Loss::kMse;
  all[4].train.optimizer = {.learning_rate = 0.01, .momentum = 0.9, .nesterov = true};
  all[5].reduce.mode = reduce::Mode::kFloat;
  all[5].train.label_smoothing = 0.1;
  all[6].model = test::with_layers({test::named("first", dense(6)),
                                    {.kind = nn::LayerOptions::Kind::kBatchNorm},
                                    test::pointwise(kernels::Activation::kGelu),
                                    test::dropout(0.3),
                                    dense(6),
                                    test::add("first"),
                                    test::pointwise(kernels::Activation::kElu),
                                    test::multiply(0.5),
                                    dense()});
  all[6].shards = 4;
  all[6].samples = 56;  // at least two in each micro-batch
  return all;
}

TEST(TraceStep, LeavesTheTrainingAsItIs) {
  for (const RunSetup& setup : setups()) {
    TrainerOnRanks traced(setup, self()), plain(setup, self());
    for (int step = 0; step < 4; ++step) {
      trace_step(traced.trainer);
      plain.trainer.step();
    }
    EXPECT_TRUE(test::same_bits(traced.trainer.parameters(), plain.trainer.parameters()));
  }
}

TEST(TraceStep, RecordsWhatDoublePrecisionGives) {
  for (const RunSetup& setup : setups()) {
    TrainerOnRanks ranks(setup, self(), 2);
    for (int step = 0; step < 4; ++step) {
      const StepTrace trace = trace_step(ranks.trainer);
      const StepRules rules = rules_of(ranks.trainer);
      EXPECT_EQ(trace.start.step, static_cast<std::size_t>(step));
      EXPECT_EQ(trace.start.rows(),
                ranks.plan.batch_samples(static_cast<std::size_t>(step) % ranks.plan.steps_per_epoch()));
      const auto found = deviations(rules, trace, step_in_double(rules, trace.start, &trace.arrays));
      ASSERT_EQ(found.size(), 6U);
      for (const Deviation& deviation : found)
        EXPECT_LT(deviation.largest, 1e-5) << deviation.kind << ", " << deviation.where;
      EXPECT_GT(found[0].largest, 0.0) << "double precision against itself";
    }
  }
}

TEST(Deviations, OfOneWrongNumberAreSeen) {
  TrainerOnRanks ranks(setups()[0], self());
  const StepTrace trace = trace_step(ranks.trainer);
  const StepRules rules = rules_of(ranks.trainer);
  const auto largest = [&](std::size_t kind, auto&& spoil) {
    StepTrace spoilt = trace;
    spoil(spoilt.arrays);
    const auto found = deviations(rules, spoilt, step_in_double(rules, spoilt.start, &spoilt.arrays));
    return found[kind];
  };
  EXPECT_GT(largest(0, [](StepArrays& a) { a.outputs[1][3] += 0.01; }).largest, kRounding);
  EXPECT_GT(largest(1, [](StepArrays& a) { a.loss *= 1.001; }).largest, kRounding);
  EXPECT_EQ(largest(2, [](StepArrays& a) { a.gradients[2][0] *= 2.0; }).where, "outputs.2.grad");
  EXPECT_EQ(largest(3, [](StepArrays& a) { a.parameter_gradients[1][2] += 0.1; }).where,
            "layers.0.bias.grad");
  EXPECT_GT(largest(4, [](StepArrays& a) { a.optimizer["momentum"][0][5] += 0.1; }).largest, kRounding);
  EXPECT_EQ(largest(5, [](StepArrays& a) { a.updated[3][0] += 0.1; }).where, "layers.1.bias.updated");
}

TEST(StepInDouble, ComputesEachArrayFromTheGivenOnesBeforeIt) {
  TrainerOnRanks ranks(setups()[0], self());
  const StepTrace trace = trace_step(ranks.trainer);
  const StepRules rules = rules_of(ranks.trainer);
  const StepArrays own = step_in_double(rules, trace.start);
  StepArrays given = unknown_arrays(rules);
  given.gradients[1] = own.gradients[1];
  for (double& dy : given.gradients[1]) dy *= 2.0;
  const StepArrays after = step_in_double(rules, trace.start, &given);
  EXPECT_EQ(after.outputs, own.outputs);
  EXPECT_EQ(after.gradients[1], own.gradients[1]);  // what it should be
  EXPECT_EQ(after.parameter_gradients[3], own.parameter_gradients[3]);
  for (std::size_t i = 0; i < own.parameter_gradients[1].size(); ++i)
    EXPECT_NEAR(after.parameter_gradients[1][i], 2.0 * own.parameter_gradients[1][i], 1e-12);
  given.optimizer["momentum"][0] = std::vector<double>(own.updated[0].size(), 0.0);
  EXPECT_EQ(step_in_double(rules, trace.start, &given).updated[0],
            std::vector<double>(
                trace.start.parameters.begin(),
                trace.start.parameters.begin() + static_cast<std::ptrdiff_t>(own.updated[0].size())));
}

}  // namespace
}  // namespace lockstep::train
