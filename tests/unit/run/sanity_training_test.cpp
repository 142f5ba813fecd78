// What lockstep sanity says of short trainings.
#include "run/sanity_training.h"

#include <gtest/gtest.h>

namespace lockstep::run {
namespace {

ShortOutcome outcome_of_zeros(double last) {
  ShortOutcome zeros;
  zeros.losses = {0.7, last, last, last, last, last, last, last, last};
  zeros.zero_loss = zeros.constant_loss = 0.69;
  zeros.has_output_bias = true;
  return zeros;
}

TEST(ZeroInputs, LearnTheTargetsSharesAndNoMore) {
  EXPECT_TRUE(check_zero_inputs(outcome_of_zeros(0.69)).holds);
  EXPECT_FALSE(check_zero_inputs(outcome_of_zeros(0.3)).holds);
  EXPECT_FALSE(check_zero_inputs(outcome_of_zeros(2.0)).holds);
}

TEST(ZeroInputs, MayDivergeOnlyBehindBatchNorm) {
  ShortOutcome zeros = outcome_of_zeros(0.69);
  zeros.diverged = "training diverged at step 2";
  EXPECT_FALSE(check_zero_inputs(zeros).holds);
  zeros.mixes_samples = true;
  EXPECT_TRUE(check_zero_inputs(zeros).holds);
}

}  // namespace
}  // namespace lockstep::run
