// The optimizers' steps in double are those of the algorithms' sources.
#include "optim/update_in_double.h"

#include <gtest/gtest.h>

#include "reference_optimizer.h"
#include "support.h"

namespace lockstep::optim {
namespace {

using Kind = OptimizerOptions::Kind;

TEST(UpdateInDouble, IsTheDocumentedAlgorithmOverTenSteps) {
  const OptimizerOptions all[] = {
      {.momentum = 0.0, .l2 = 0.3},
      {.momentum = 0.9, .l2 = 0.3},
      {.momentum = 0.9, .nesterov = true, .l2 = 0.1, .weight_decay = 0.2},
      {.kind = Kind::kAdam, .beta1 = 0.5, .beta2 = 0.9, .epsilon = 0.01, .l2 = 0.1, .weight_decay = 0.2},
      {.kind = Kind::kAdamW, .l2 = 0.1, .weight_decay = 0.3},
  };
  for (const OptimizerOptions& options : all) {
    constexpr std::size_t kSize = 21;
    const auto first = test::random_floats(kSize, 1);
    std::vector<double> w(first.begin(), first.end()), expected = w;
    TensorState state;
    for (const std::string& name : state_names(options)) state[name] = std::vector<double>(kSize);
    test::ReferenceOptimizer reference{.options = options, .parts = {{.end = kSize, .decay_factor = 0.5}}};
    for (std::size_t step = 1; step <= 10; ++step) {
      const auto floats = test::random_floats(kSize, 10 + step);
      const std::vector<double> gradient(floats.begin(), floats.end());
      const Optimizer::Part part{.step = step, .rate = 0.1, .decay_factor = 0.5};
      state = next_state_in_double(options, part, gradient, w, state);
      w = next_weights_in_double(options, part, gradient, w, state);
      reference.update(expected, gradient, 0.1);
      for (std::size_t i = 0; i < kSize; ++i)
        ASSERT_NEAR(w[i], expected[i], 1e-12) << &options - all << ", step " << step;
    }
  }
}

TEST(UpdateInDouble, HeedsClipAndTrust) {
  const OptimizerOptions options{.momentum = 0.9, .l2 = 0.5};
  const TensorState state = next_state_in_double(options, {.decay_factor = 1.0, .clip = 0.5, .trust = 0.1},
                                                 std::vector{4.0}, std::vector{2.0}, {{"momentum", {10.0}}});
  EXPECT_DOUBLE_EQ(state.at("momentum")[0], 9.0 + 0.1 * (0.5 * 4.0 + 0.5 * 2.0));
}

}  // namespace
}  // namespace lockstep::optim
