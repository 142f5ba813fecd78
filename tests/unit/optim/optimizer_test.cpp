// Every optimizer against the algorithm that its source documents, in double, over many steps.
#include "optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "reference_optimizer.h"
#include "support.h"

namespace lockstep::optim {
namespace {

using Kind = OptimizerOptions::Kind;
using test::ReferenceOptimizer;

const OptimizerOptions kOptions[] = {
    {.momentum = 0.0},
    {.momentum = 0.0, .l2 = 0.3},
    {.momentum = 0.9},
    {.momentum = 0.9, .l2 = 0.3},
    {.momentum = 0.95, .nesterov = true},
    {.momentum = 0.95, .nesterov = true, .l2 = 0.3},
    {.momentum = 0.0, .weight_decay = 0.4},
    {.momentum = 0.9, .nesterov = true, .l2 = 0.1, .weight_decay = 0.2},
    {.kind = Kind::kAdam},
    {.kind = Kind::kAdam, .beta1 = 0.0, .beta2 = 0.9, .epsilon = 0.01, .l2 = 0.1, .weight_decay = 0.2},
    {.kind = Kind::kAdamW, .weight_decay = 0.2},
    {.kind = Kind::kAdamW, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 0.1, .l2 = 0.1, .weight_decay = 0.3},
    {.kind = Kind::kLars, .trust_coefficient = 0.02},
    {.kind = Kind::kLars, .momentum = 0.9, .trust_coefficient = 0.02, .l2 = 0.1, .weight_decay = 0.2},
    {.kind = Kind::kLars, .momentum = 0.9, .nesterov = true, .trust_coefficient = 0.5, .weight_decay = 0.2},
};

double norm(std::span<const float> x) {
  double sum = 0.0;
  for (const float value : x) sum += double{value} * value;
  return std::sqrt(sum);
}

TEST(Optimizer, IsTheDocumentedAlgorithmOverFiftySteps) {
  for (const OptimizerOptions& options : kOptions) {
    for (const double decay_factor : {1.0, 0.0, 0.25}) {
      for (const std::size_t n : test::kAwkwardSizes) {
        std::vector<float> arena = test::random_floats(n, n);
        std::vector<double> expected(arena.begin(), arena.end());
        ReferenceOptimizer reference{.options = options, .parts = {{.end = n, .decay_factor = decay_factor}}};
        Optimizer optimizer(options, n);
        for (std::size_t step = 1; step <= 50; ++step) {
          const auto gradient = test::random_floats(n, 100 + step);
          const std::vector<double> exact(gradient.begin(), gradient.end());
          const double rate = 0.1 / static_cast<double>(step);  // a schedule
          optimizer.update(arena, gradient, 0,
                           {.step = step,
                            .rate = rate,
                            .decay_factor = decay_factor,
                            .trust = optimizer.trust(norm(arena), norm(gradient), decay_factor)});
          reference.update(expected, exact, rate);
          for (std::size_t i = 0; i < n; ++i)
            ASSERT_NEAR(arena[i], expected[i], 1e-5 * (1.0 + std::fabs(expected[i])))
                << "optimizer " << &options - kOptions << ", step " << step;
        }
      }
    }
  }
}

TEST(Optimizer, MultipliesTheGradientByTheClip) {
  for (const OptimizerOptions& options : kOptions) {
    auto clipped = test::random_floats(65, 1), halved = clipped;
    Optimizer of_clipped(options, 65), of_halved(options, 65);
    for (std::size_t step = 1; step <= 5; ++step) {
      auto gradient = test::random_floats(65, 10 + step);
      of_clipped.update(clipped, gradient, 0, {.step = step, .rate = 0.1, .decay_factor = 1.0, .clip = 0.5});
      for (float& g : gradient) g *= 0.5F;
      of_halved.update(halved, gradient, 0, {.step = step, .rate = 0.1, .decay_factor = 1.0});
    }
    EXPECT_TRUE(test::same_bits(clipped, halved));
  }
}

// The first step of adam is the rate in the direction of the gradient's sign, whatever its size.
TEST(Adam, MakesAWorkedExample) {
  for (const float size : {0.5F, 2.0F, 1e6F}) {
    std::vector<float> w = {1.0F};
    Optimizer adam({.kind = Kind::kAdam}, 1);
    adam.update(w, std::vector<float>{size}, 0, {.step = 1, .rate = 0.125});
    EXPECT_NEAR(w[0], 0.875, 2e-6);
    adam.update(w, std::vector<float>{0.0F}, 0, {.step = 2, .rate = 0.125});
    // m = 0.09, of 1 - 0.81; v = 0.000999, of 1 - 0.998001.
    EXPECT_NEAR(w[0], 0.875 - 0.125 * (0.09 / 0.19) / std::sqrt(0.000999 / 0.001999), 2e-6);
  }
}

TEST(Adamw, DecaysWeightsThatHaveNoGradientByTheRate) {
  std::vector<float> decoupled = {2.0F}, coupled = {2.0F};
  const std::vector<float> none = {0.0F};
  Optimizer adamw({.kind = Kind::kAdamW, .weight_decay = 0.5}, 1);
  adamw.update(decoupled, none, 0, {.step = 1, .rate = 0.25, .decay_factor = 1.0});
  EXPECT_EQ(decoupled[0], 1.75F);
  Optimizer adam({.kind = Kind::kAdam, .weight_decay = 0.5}, 1);
  adam.update(coupled, none, 0, {.step = 1, .rate = 0.25, .decay_factor = 1.0});
  EXPECT_NEAR(coupled[0], 1.75, 1e-6);  // by the sign of the decay: its size does not count
}

TEST(Lars, TrustIsTheShareOfTheWeightsNorm) {
  const Optimizer lars({.kind = Kind::kLars, .trust_coefficient = 0.01, .l2 = 0.1, .weight_decay = 0.4}, 1);
  EXPECT_DOUBLE_EQ(lars.trust(4.0, 2.0, 1.0), 0.01 * 4.0 / (2.0 + 0.5 * 4.0));
  EXPECT_DOUBLE_EQ(lars.trust(4.0, 2.0, 0.0), 0.02);
  EXPECT_EQ(lars.trust(0.0, 2.0, 1.0), 1.0);
  EXPECT_EQ(lars.trust(4.0, 0.0, 1.0), 1.0);
  EXPECT_EQ(Optimizer({}, 1).trust(4.0, 2.0, 1.0), 1.0);
}

TEST(Sgd, MakesAWorkedExample) {
  const std::vector<float> gradient = {2.0F};
  const auto after = [&](const OptimizerOptions& options, std::size_t steps) {
    std::vector<float> w = {1.0F};
    Optimizer sgd(options, 1);
    for (std::size_t step = 1; step <= steps; ++step)
      sgd.update(w, gradient, 0, {.step = step, .rate = 0.125});
    return w[0];
  };
  EXPECT_EQ(after({}, 1), 0.75F);
  EXPECT_EQ(after({.momentum = 0.5}, 1), 0.75F);
  EXPECT_EQ(after({.momentum = 0.5}, 2), 0.375F);                     // velocity 3
  EXPECT_EQ(after({.momentum = 0.5, .nesterov = true}, 1), 0.625F);   // velocity 2, direction 2 + 1
  EXPECT_EQ(after({.momentum = 0.5, .nesterov = true}, 2), 0.1875F);  // velocity 3, direction 2 + 1.5
}

// Updates of slices, in any order, are the update of the whole; what lies outside is left alone.
TEST(Optimizer, UpdatesSlicesAloneEachWithItsOwnState) {
  constexpr std::size_t kSize = 200;
  for (const OptimizerOptions& options : kOptions) {
    auto whole = test::random_floats(kSize, 1), cut = whole;
    Optimizer of_whole(options, kSize), of_cut(options, kSize);
    for (std::size_t step = 1; step <= 5; ++step) {
      const auto gradient = test::random_floats(kSize, 50 + step);
      const Optimizer::Part part{.step = step, .rate = 0.1, .decay_factor = 1.0, .clip = 0.7, .trust = 0.3};
      of_whole.update(whole, gradient, 0, part);
      const auto before = cut;
      of_cut.update(std::span(cut).subspan(63), std::span(gradient).subspan(63), 63, part);
      EXPECT_TRUE(test::same_bits(std::span(cut).first(63), std::span(before).first(63)));
      of_cut.update(std::span(cut).first(21), std::span(gradient).first(21), 0, part);
      of_cut.update(std::span(cut).subspan(21, 42), std::span(gradient).subspan(21, 42), 21, part);
    }
    EXPECT_TRUE(test::same_bits(cut, whole));
  }
}

TEST(Optimizer, KeepsWhatItsAlgorithmNeeds) {
  using Names = std::vector<std::string>;
  const std::pair<OptimizerOptions, Names> cases[] = {
      {{.momentum = 0.0}, {}},
      {{.momentum = 0.5}, {"momentum"}},
      {{.kind = Kind::kLars}, {}},
      {{.kind = Kind::kLars, .momentum = 0.5}, {"lars_momentum"}},
      {{.kind = Kind::kAdam}, {"exp_avg", "exp_avg_sq"}},
      {{.kind = Kind::kAdamW}, {"exp_avg", "exp_avg_sq"}}};
  for (const auto& [options, names] : cases) {
    EXPECT_EQ(state_names(options), names);
    EXPECT_EQ(Optimizer(options, 100).bytes(), 400 * names.size());
    EXPECT_EQ(Optimizer(options, 100).state().size(), names.size());
  }
}

// Restored after each step, an optimizer goes on as the one whose state that was.
TEST(Optimizer, GoesOnFromItsState) {
  for (const OptimizerOptions& options : kOptions) {
    auto once = test::random_floats(65, 1), again = once;
    Optimizer optimizer(options, 65);
    OptimizerState state;
    for (const auto& [name, values] : optimizer.state()) state[name] = {values.begin(), values.end()};
    for (std::size_t step = 1; step <= 5; ++step) {
      const auto gradient = test::random_floats(65, 10 + step);
      const Optimizer::Part part{.step = step, .rate = 0.1, .decay_factor = 1.0};
      optimizer.update(once, gradient, 0, part);
      Optimizer restored(options, 65);
      restored.restore(state);
      restored.update(again, gradient, 0, part);
      for (const auto& [name, values] : restored.state()) state[name] = {values.begin(), values.end()};
      EXPECT_TRUE(test::same_bits(again, once)) << step;
    }
  }
}

TEST(Optimizer, RefusesTheStateOfAnother) {
  const std::vector<float> arena(10), other(9);
  Optimizer adam({.kind = Kind::kAdam}, 10), sgd({}, 10);
  EXPECT_NO_THROW(adam.restore({{"exp_avg", arena}, {"exp_avg_sq", arena}}));
  EXPECT_NO_THROW(sgd.restore({}));
  for (const OptimizerState& state : {OptimizerState{},
                                      {{"exp_avg", arena}},
                                      {{"momentum", arena}},
                                      {{"exp_avg", arena}, {"momentum", arena}},
                                      {{"exp_avg", arena}, {"exp_avg_sq", other}}}) {
    EXPECT_THROW(adam.restore(state), ModelError);
    if (!state.empty()) {
      EXPECT_THROW(sgd.restore(state), ModelError);
    }
  }
}

TEST(Optimizer, RefusesParametersOfWhichItHasNoStateOrNoGradient) {
  std::vector<float> parameters(5);
  const std::vector<float> gradient(5), shorter(4);
  Optimizer sgd({}, 10);
  EXPECT_THROW(sgd.update(parameters, gradient, 6, {}), ShapeError);
  EXPECT_THROW(sgd.update(parameters, shorter, 5, {}), ShapeError);
  EXPECT_NO_THROW(sgd.update(parameters, gradient, 5, {}));
}

}  // namespace
}  // namespace lockstep::optim
