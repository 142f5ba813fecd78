// What is meant to catch a run that is not the run of one process catches it.
#include "train/verification.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mpi_main.h"
#include "small_run.h"
#include "support.h"
#include "train/replica_check.h"

namespace lockstep::test {
namespace {

SmallRunOptions usual_options() {
  SmallRunOptions options;
  options.model.hidden = {30};
  options.train.optimizer.momentum = 0.9;
  options.train.optimizer.l2 = 1e-3;
  return options;
}

// Trains on all ranks with `all_or_none` and, on rank 0 alone, with a sound run of the same options.
train::Verification verify_against_one(SmallRun& together, std::uint64_t seed_of_this_rank) {
  const comm::Communicator& world = session().world();
  std::optional<SmallRun> alone;
  if (world.rank() == 0) alone.emplace(together.options, session().self(), 1).start();
  return train::verify(world, together.model.tensors(), together.start(seed_of_this_rank),
                       alone ? &*alone->trainer : nullptr, 12, true);
}

TEST(Verification, AnExactRunIsTheRunOfOneProcess) {
  SmallRun together(usual_options(), session().world(), 2);
  const train::Verification result = verify_against_one(together, together.options.seed);
  EXPECT_TRUE(result.identical);
  EXPECT_EQ(result.steps, 12U);
}

// Sums as the float mode does, under the name of the exact one.
TEST(Verification, AFloatSumIsFoundAndItsFirstStepNamed) {
  SmallRun together(usual_options(), session().world(), 1);
  together.reducer =
      reduce::make_reducer({.mode = reduce::Mode::kFloat}, together.model, 1, session().world(), 1);
  const train::Verification result = verify_against_one(together, together.options.seed);
  EXPECT_FALSE(result.identical);
  EXPECT_GE(result.first_step, 1U);
  EXPECT_EQ(result.steps, result.first_step) << "goes on after the first difference";
  if (session().world().rank() == 0) {
    EXPECT_FALSE(result.first.first_tensor.empty());
    EXPECT_GT(result.first.ulps, 0U);
    EXPECT_GT(result.first.relative, 0.0);
    EXPECT_LT(result.first.relative, 1e-3);
  }
}

// A sum over rows that is cut where the threads' shares end, as a product that splits K between threads
// would.
class ThreadDependentReducer final : public reduce::Reducer {
 public:
  ThreadDependentReducer(const SmallRun& run, int threads)
      : Reducer(run.model, run.communicator),
        exact_(reduce::make_reducer({.update = reduce::Update::kEverywhere}, run.model, 100, run.communicator,
                                    run.threads)),
        threads_(static_cast<std::size_t>(threads)) {}
  void begin_pass(std::span<const std::size_t> block_rows, bool last) override {
    std::vector<std::size_t> cut;
    for (const std::size_t rows : block_rows)
      for (std::size_t t = 0; t < threads_; ++t)
        if (const std::size_t part = data::even_part(rows, t, threads_).size(); part > 0) cut.push_back(part);
    exact_->begin_pass(cut, last);
  }
  void add(const nn::GradientTerms& terms) override { exact_->add(terms); }
  Outcome finish() override { return exact_->finish(); }
  std::span<const float> read(std::size_t tensor, std::size_t begin,
                              std::span<float> scratch) const override {
    return exact_->read(tensor, begin, scratch);
  }
  std::vector<std::int32_t> state() const override { return exact_->state(); }
  void restore(std::span<const std::int32_t> state) override { exact_->restore(state); }
  std::size_t bytes() const override { return exact_->bytes(); }

 private:
  std::unique_ptr<reduce::Reducer> exact_;
  std::size_t threads_;
};

TEST(Verification, AProductThatDependsOnTheThreadsIsFound) {
  SmallRun together(usual_options(), session().world(), 1);
  together.reducer = std::make_unique<ThreadDependentReducer>(together, 3);
  const train::Verification result = verify_against_one(together, together.options.seed);
  EXPECT_FALSE(result.identical);
  EXPECT_GE(result.first_step, 1U);
}

// Ranks that start from weights of their own differ among themselves before the first step.
TEST(Verification, ASeedThatDependsOnTheRankIsFound) {
  const comm::Communicator& world = session().world();
  SmallRun together(usual_options(), world, 1);
  const auto result =
      verify_against_one(together, together.options.seed + static_cast<std::uint64_t>(world.rank()));
  EXPECT_FALSE(result.identical);
  EXPECT_EQ(result.first_step, 0U);
  expect_line_with(result.odd_replica, {"rank 1 on ", "first in layers.0.weight"});
}

// The same wrong seed on all ranks: the process alone finds it.
TEST(Verification, OtherWeightsThanTheProcessAloneAreFound) {
  SmallRun together(usual_options(), session().world(), 1);
  const auto result = verify_against_one(together, together.options.seed + 1);
  EXPECT_FALSE(result.identical);
  EXPECT_EQ(result.first_step, 0U);
  EXPECT_TRUE(result.odd_replica.empty());
}

TEST(Verification, DifferencesAreMeasuredInULPsAndRelativeToTheLayer) {
  const std::vector<nn::Tensor> tensors = {{"a", {2, 1}, 0, 2, {}}, {"b", {2}, 2, 2, {}}};
  const std::vector<float> x = {1.0F, 2.0F, 4.0F, 0.0F};
  std::vector<float> y = x;
  EXPECT_TRUE(train::compare(tensors, x, y).identical);
  y[2] = std::nextafter(std::nextafter(4.0F, 5.0F), 5.0F);
  train::ArenaDifference difference = train::compare(tensors, x, y);
  EXPECT_FALSE(difference.identical);
  EXPECT_EQ(difference.first_tensor, "b");
  EXPECT_EQ(difference.ulps, 2U);
  EXPECT_DOUBLE_EQ(difference.relative, (double{y[2]} - 4.0) / y[2]);
  y[3] = -0.0F;  // equal as a number, not as bits
  y[2] = x[2];
  EXPECT_FALSE(train::compare(tensors, x, y).identical);
}

TEST(ReplicaCheck, ARankThatDiffersIsNamedWithTheFirstTensorThatDoes) {
  const comm::Communicator& world = session().world();
  const std::vector<nn::Tensor> tensors = {{"a", {2}, 0, 2, {}}, {"b", {2}, 2, 2, {}}, {"c", {2}, 4, 2, {}}};
  std::vector<float> arena = {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F};
  EXPECT_NO_THROW(train::check_replicas(world, tensors, arena, "weights", 7, 2));
  const int wrong = world.size() - 1;
  if (world.rank() == wrong) arena[3] = std::nextafter(4.0F, 5.0F);
  const std::string message = message_of<comm::CollectiveError>(
      [&] { train::check_replicas(world, tensors, arena, "weights", 7, 2); });
  expect_line_with(message, {"rank " + std::to_string(wrong) + " on ", "step 7", "epoch 2", "first in b"});
}

nn::Model one_weight_and_bias() {
  nn::ModelOptions options;
  options.hidden = {};
  return {options, 1, 1};
}

// A step of one row, or none, whose gradient is dy x for the weight and dy for the bias.
reduce::Reducer::Outcome reduce_once(reduce::Reducer& reducer, float dy, float x, std::size_t rows = 1) {
  reducer.begin_pass({&rows, rows}, /*last=*/true);
  reducer.add({1, {&dy, rows, 1}, {}});
  reducer.add({0, {&dy, rows, 1}, {&x, rows, 1}});
  return reducer.finish();
}

TEST(ExactReducer, AGradientThatExplodesIsComputedAgainAndSummedRight) {
  const comm::Communicator& world = session().world();
  const nn::Model model = one_weight_and_bias();
  const auto reducer = reduce::make_reducer({}, model, static_cast<std::size_t>(world.size()), world, 1);
  const auto sum_of = [&](float value) {  // every rank contributes value * 1 to the weight, value to the bias
    int repeats = 0;
    reduce::Reducer::Outcome outcome;
    do outcome = reduce_once(*reducer, value, 1.0F);
    while (outcome == reduce::Reducer::Outcome::kRepeat && ++repeats < 5);
    EXPECT_EQ(outcome, reduce::Reducer::Outcome::kSummed);
    EXPECT_EQ(reducer->gradient()[0], reducer->gradient()[1]);
    return std::pair(reducer->gradient()[0], repeats);
  };
  const auto ranks = static_cast<float>(world.size());
  sum_of(0.5F);
  EXPECT_EQ(sum_of(0.5F), std::pair(0.5F * ranks, 0));
  EXPECT_EQ(sum_of(512.0F), std::pair(512.0F * ranks, 1));
  EXPECT_EQ(sum_of(0.0F), std::pair(0.0F, 0));
  EXPECT_EQ(sum_of(512.0F), std::pair(512.0F * ranks, 0));
  EXPECT_EQ(sum_of(0x1p-30F), std::pair(0x1p-30F * ranks, 1));
}

TEST(ExactReducer, AnInfiniteContributionOfOneRankIsReportedOnAll) {
  const comm::Communicator& world = session().world();
  const nn::Model model = one_weight_and_bias();
  const auto reducer = reduce::make_reducer({}, model, static_cast<std::size_t>(world.size()), world, 1);
  const bool last = world.rank() == world.size() - 1;
  const float x = last ? std::numeric_limits<float>::infinity() : 1.0F;
  EXPECT_EQ(reduce_once(*reducer, 1.0F, x), reduce::Reducer::Outcome::kNotFinite);
  EXPECT_TRUE(std::isnan(reducer->gradient()[0]));
}

TEST(ExactReducer, ARankWithoutSamplesContributesNothing) {
  const comm::Communicator& world = session().world();
  const nn::Model model = one_weight_and_bias();
  const auto reducer = reduce::make_reducer({}, model, static_cast<std::size_t>(world.size()), world, 1);
  const std::size_t rows = world.rank() == 0 ? 1 : 0;
  EXPECT_EQ(reduce_once(*reducer, 3.0F, 2.0F, rows), reduce::Reducer::Outcome::kSummed);
  EXPECT_EQ(reducer->gradient()[0], 6.0F);
  EXPECT_EQ(reducer->gradient()[1], 3.0F);
}

}  // namespace
}  // namespace lockstep::test
