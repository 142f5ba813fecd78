// Sgd against the algorithm that PyTorch documents for torch.optim.SGD, in double, over many steps.
#include "optim/sgd.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support.h"

namespace lockstep::optim {
namespace {

// The documented algorithm with dampening 0 and maximize false, line by line.
struct Twin {
  SgdOptions options;
  std::vector<double> parameters, buffer;
  std::size_t steps = 0;

  void step(const std::vector<float>& gradient, double rate, double decay_factor) {
    ++steps;
    buffer.resize(parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      double g = gradient[i];
      g = g + decay_factor * options.l2 * parameters[i] + decay_factor * options.weight_decay * parameters[i];
      if (options.momentum != 0.0) {
        buffer[i] = steps > 1 ? options.momentum * buffer[i] + g : g;
        g = options.nesterov ? g + options.momentum * buffer[i] : buffer[i];
      }
      parameters[i] = parameters[i] - rate * g;
    }
  }
};

const SgdOptions kOptions[] = {
    {.momentum = 0.0, .nesterov = false, .l2 = 0.0},
    {.momentum = 0.0, .nesterov = false, .l2 = 0.3},
    {.momentum = 0.9, .nesterov = false, .l2 = 0.0},
    {.momentum = 0.9, .nesterov = false, .l2 = 0.3},
    {.momentum = 0.95, .nesterov = true, .l2 = 0.0},
    {.momentum = 0.95, .nesterov = true, .l2 = 0.3},
    {.momentum = 0.0, .weight_decay = 0.4},
    {.momentum = 0.9, .nesterov = true, .l2 = 0.1, .weight_decay = 0.2},
};

TEST(Sgd, IsTheDocumentedAlgorithmOverTwentySteps) {
  for (const SgdOptions& options : kOptions) {
    for (const double decay_factor : {1.0, 0.0, 0.25}) {
      for (const std::size_t n : test::kAwkwardSizes) {
        std::vector<float> arena = test::random_floats(n, n);
        Twin twin{options, {arena.begin(), arena.end()}, {}};
        Sgd sgd(options, n);
        for (std::uint64_t step = 0; step < 20; ++step) {
          const auto gradient = test::random_floats(n, 100 + step);
          const double rate = 0.1 / static_cast<double>(1 + step);  // a schedule
          sgd.update(arena, gradient, 0, rate, decay_factor);
          twin.step(gradient, rate, decay_factor);
          for (std::size_t i = 0; i < n; ++i)
            ASSERT_NEAR(arena[i], twin.parameters[i], 1e-5 * (1.0 + std::fabs(twin.parameters[i])))
                << "momentum " << options.momentum << ", l2 " << options.l2 << ", step " << step;
        }
      }
    }
  }
}

// Updates of slices, in any order, are the update of the whole; what lies outside is left alone.
TEST(Sgd, SlicesAreUpdatedAloneEachWithItsOwnVelocity) {
  constexpr std::size_t kSize = 200;
  for (const SgdOptions& options : kOptions) {
    auto whole = test::random_floats(kSize, 1), cut = whole;
    Sgd sgd_whole(options, kSize), sgd_cut(options, kSize);
    for (std::uint64_t step = 0; step < 5; ++step) {
      const auto gradient = test::random_floats(kSize, 50 + step);
      sgd_whole.update(whole, gradient, 0, 0.1, 1.0);
      const auto before = cut;
      sgd_cut.update(cut, std::span(gradient).subspan(63), 63, 0.1, 1.0);
      EXPECT_TRUE(test::same_bits(std::span(cut).first(63), std::span(before).first(63)));
      sgd_cut.update(cut, std::span(gradient).first(21), 0, 0.1, 1.0);
      sgd_cut.update(cut, std::span(gradient).subspan(21, 42), 21, 0.1, 1.0);
    }
    EXPECT_TRUE(test::same_bits(cut, whole));
  }
}

TEST(Sgd, BitsDoNotDependOnThreads) {
  const std::size_t n = 3 * 16384 + 65;
  for (const SgdOptions& options : kOptions) {
    const auto start = test::random_floats(n, 1);
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 7}) {
      auto arena = start;
      Sgd sgd(options, n);
      for (std::uint64_t step = 0; step < 3; ++step)
        sgd.update(arena, test::random_floats(n, 10 + step), 0, 0.1, 1.0);
      if (first.empty()) first = arena;
      EXPECT_TRUE(test::same_bits(arena, first)) << threads << " threads";
    }
  }
}

TEST(Sgd, HoldsAVelocityOnlyWithMomentum) {
  EXPECT_EQ(Sgd({.momentum = 0.0}, 100).bytes(), 0U);
  EXPECT_EQ(Sgd({.momentum = 0.5}, 100).bytes(), 400U);
}

TEST(Sgd, RefusesAGradientThatReachesPastTheParameters) {
  std::vector<float> arena(10);
  const std::vector<float> gradient(5);
  Sgd sgd({}, 10);
  EXPECT_THROW(sgd.update(arena, gradient, 6, 0.1, 1.0), ShapeError);
  EXPECT_NO_THROW(sgd.update(arena, gradient, 5, 0.1, 1.0));
}

}  // namespace
}  // namespace lockstep::optim
