// How runs are compared: two arenas, the arenas of all ranks, a run of many ranks and a run of one.
#include "train/verification.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "modes.h"
#include "mpi_main.h"
#include "train/replica_check.h"
#include "train/training_run.h"

namespace lockstep::train {
namespace {

using test::RunSetup;

using test::self;
using test::world;

TEST(Compare, FindsTheFirstTensorThatDiffersAndByHowMuch) {
  const nn::Model model = RunSetup().network();
  const auto a = test::random_floats(model.parameters(), 1);
  EXPECT_TRUE(compare(model.tensors(), a, a).identical);
  for (const nn::Tensor& tensor : model.tensors()) {
    for (const std::size_t place : {tensor.offset, tensor.offset + tensor.size - 1}) {
      auto b = a;
      for (int ulp = 0; ulp < 3; ++ulp) b[place] = std::nextafter(b[place], 10.0F);
      const auto difference = compare(model.tensors(), a, b);
      EXPECT_FALSE(difference.identical);
      EXPECT_EQ(difference.first_tensor, tensor.name);
      EXPECT_EQ(difference.ulps, 3U);
      EXPECT_GT(difference.relative, 0.0);
      EXPECT_LT(difference.relative, 1e-5);
    }
  }
}

TEST(Compare, CountsAcrossZeroAndSeesItsSign) {
  const nn::Model model = RunSetup().network();
  std::vector<float> a(model.parameters()), b = a;
  b[0] = -0.0F;
  EXPECT_FALSE(compare(model.tensors(), a, b).identical);
  a[0] = 1e-45F;
  b[0] = -1e-45F;
  EXPECT_EQ(compare(model.tensors(), a, b).ulps, 2U);
  EXPECT_EQ(compare(model.tensors(), a, b).relative, 2.0);
}

// As float sums leave a bias before batch norm.
TEST(Compare, MeasuresWhatIsNothingButRoundingByItsLayersLargestWeight) {
  const nn::Model model = RunSetup().network();
  const nn::Tensor &weight = model.tensors()[0], &bias = model.tensors()[1];
  std::vector<float> a(model.parameters()), b = a;
  a[weight.offset] = b[weight.offset] = -0.5F;
  a[bias.offset] = 1e-8F;
  EXPECT_EQ(compare(model.tensors(), a, b).first_tensor, bias.name);
  EXPECT_DOUBLE_EQ(compare(model.tensors(), a, b).relative, double{1e-8F} / 0.5);
}

TEST(CheckReplicas, AcceptsEqualWeights) {
  const nn::Model model = RunSetup().network();
  const auto arena = test::random_floats(model.parameters(), 1);
  EXPECT_NO_THROW(check_replicas(world(), model.tensors(), arena, "weights", 7, 2));
}

// One bit of one rank's weights. Of two ranks, the other than the first counts as wrong.
TEST(CheckReplicas, NamesTheRankTheStepAndTheTensorOnEveryRank) {
  const nn::Model model = RunSetup().network();
  for (int wrong = world().size() == 2 ? 1 : 0; wrong < world().size(); ++wrong) {
    for (const nn::Tensor& tensor : model.tensors()) {
      auto arena = test::random_floats(model.parameters(), 1);
      if (world().rank() == wrong) {
        float& last = arena[tensor.offset + tensor.size - 1];
        last = std::nextafter(last, 10.0F);
      }
      if (world().size() == 1) {
        EXPECT_NO_THROW(check_replicas(world(), model.tensors(), arena, "weights", 7, 2));
        continue;
      }
      const std::string message = test::message_of<comm::CollectiveError>(
          [&] { check_replicas(world(), model.tensors(), arena, "weights", 7, 2); });
      test::expect_line_with(message, {"rank " + std::to_string(wrong) + " on " + comm::host_name(), "step 7",
                                       "epoch 2", tensor.name});
    }
  }
}

// A trainer on all ranks and, on rank 0, one of its own.
Verification verified(const RunSetup& of_all, const RunSetup& of_one, std::size_t steps, bool stop) {
  test::TrainerOnRanks together(of_all, world());
  std::optional<test::TrainerOnRanks> alone;
  if (world().rank() == 0) alone.emplace(of_one, self());
  return verify(world(), together.model.tensors(), together.trainer, alone ? &alone->trainer : nullptr, steps,
                stop);
}

TEST(Verify, ExactRunsAreIdentical) {
  RunSetup setup;
  const auto result = verified(setup, setup, 20, true);
  EXPECT_TRUE(result.identical);
  EXPECT_EQ(result.steps, 20U);
}

TEST(Verify, FindsTheFirstStepThatDiffersOnEveryRank) {
  RunSetup setup;
  RunSetup other = setup;
  other.train.optimizer.momentum = 0.5;  // the first update is the same: a velocity begins with the gradient
  EXPECT_EQ(verified(setup, other, 20, true).first_step, 2U);
  EXPECT_EQ(verified(setup, other, 20, true).steps, 2U);
  EXPECT_EQ(verified(setup, other, 5, false).steps, 5U);
  EXPECT_EQ(verified(setup, other, 5, false).first_step, 2U);
  EXPECT_FALSE(verified(setup, other, 5, false).identical);
  setup.train.average_decay = 0.9;
  other = setup;
  EXPECT_TRUE(verified(setup, other, 5, true).identical);
  other.train.average_decay = 0.8;  // after the first step it is the parameters
  EXPECT_EQ(verified(setup, other, 20, true).first_step, 2U);
  other = setup;
  other.model.init = "he";
  const auto result = verified(setup, other, 20, true);
  EXPECT_FALSE(result.identical);
  EXPECT_EQ(result.first_step, 0U);
  EXPECT_EQ(result.steps, 0U);
}

}  // namespace
}  // namespace lockstep::train
