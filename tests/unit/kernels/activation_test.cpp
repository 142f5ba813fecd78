// Every activation and its derivative against formulas in double.
#include "kernels/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "reference_network.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::for_every;
using test::kAwkwardSizes;
using test::kFloatUnit;
using test::kInfinity;
using test::random_floats;

std::vector<float> activated(Activation f, std::vector<float> x, int threads = 1) {
  activate(f, x, threads);
  return x;
}

// What the derivative is worked out from, where y = f(x).
const std::vector<float>& known(Activation f, const std::vector<float>& x, const std::vector<float>& y) {
  return slope_from_input(f) ? x : y;
}

// How far y may be from f(x) = exact.
double room(Activation f, double exact) {
  return (f == Activation::kGelu ? 8.0 : 6.0) * kFloatUnit * std::fabs(exact) + 1e-37;
}

TEST(Activate, IsTheFormulaAtEverySize) {
  for_every<Activation>([](Activation f) {
    for (const std::size_t n : kAwkwardSizes) {
      for (const float range : {0.01F, 1.0F, 20.0F, 100.0F}) {
        const auto x = random_floats(n, n, range);
        const auto y = activated(f, x);
        for (std::size_t i = 0; i < n; ++i) {
          const double exact = test::activation(f, x[i]);
          EXPECT_NEAR(y[i], exact, room(f, exact)) << x[i];
        }
      }
    }
  });
}

TEST(Activate, StaysFiniteAtExtremeInputs) {
  for_every<Activation>([](Activation f) {
    const std::vector<float> x = {1e4F, -1e4F, 3e38F, -3e38F, 1e-40F, -1e-40F, 0.0F, -0.0F, 88.5F, -88.5F};
    const auto y = activated(f, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_TRUE(std::isfinite(y[i])) << x[i];
      const double exact = test::activation(f, x[i]);
      EXPECT_NEAR(y[i], exact, room(f, exact)) << x[i];
    }
  });
}

TEST(Activate, NaNStaysNaNAndAlone) {
  for_every<Activation>([](Activation f) {
    for (std::size_t place = 0; place < 21; ++place) {
      auto x = random_floats(21, 4);
      x[place] = std::nanf("");
      const auto y = activated(f, x);
      for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i == place);
    }
  });
}

TEST(Activate, SaturatesAtInfinityOrGrowsWithIt) {
  const auto sigmoid = activated(Activation::kSigmoid, {kInfinity, -kInfinity});
  EXPECT_EQ(sigmoid[0], 1.0F);
  EXPECT_NEAR(sigmoid[1], 0.0F, 1e-37);
  const std::vector<float> infinities = {kInfinity, -kInfinity};
  EXPECT_EQ(activated(Activation::kTanh, infinities), (std::vector<float>{1.0F, -1.0F}));
  EXPECT_EQ(activated(Activation::kRelu, infinities), (std::vector<float>{kInfinity, 0.0F}));
  EXPECT_EQ(activated(Activation::kLeakyRelu, infinities), infinities);
  EXPECT_EQ(activated(Activation::kElu, infinities), (std::vector<float>{kInfinity, -1.0F}));
  EXPECT_EQ(activated(Activation::kGelu, infinities), (std::vector<float>{kInfinity, 0.0F}));
}

TEST(ActivateBackward, IsTheDerivativeAtEverySize) {
  for_every<Activation>([](Activation f) {
    for (const std::size_t n : kAwkwardSizes) {
      const auto x = random_floats(n, n + 1, 6.0F), dy = random_floats(n, n + 2);
      auto dx = dy;
      activate_backward(f, known(f, x, activated(f, x)), dx, 1);
      for (std::size_t i = 0; i < n; ++i) {
        // The slope comes from y, which was rounded: its error is a unit of 1, where y is nearly 1.
        const double exact = dy[i] * test::activation_slope(f, x[i]);
        EXPECT_NEAR(dx[i], exact, 8.0 * kFloatUnit * (std::fabs(exact) + std::fabs(dy[i]))) << x[i];
      }
    }
  });
}

TEST(ActivateBackward, StaysFiniteAtExtremeInputs) {
  for_every<Activation>([](Activation f) {
    const std::vector<float> x = {1e4F, -1e4F, 3e38F, -3e38F};
    std::vector<float> dx(x.size(), 2.0F);
    activate_backward(f, known(f, x, activated(f, x)), dx, 1);
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(dx[i], 2.0 * test::activation_slope(f, x[i]), 1e-6) << x[i];
  });
}

TEST(ActivateBackward, RefusesLengthsThatDiffer) {
  std::vector<float> y(7), dy(8);
  EXPECT_THROW(activate_backward(Activation::kSigmoid, y, dy, 1), ShapeError);
}

TEST(Activate, BitsDoNotDependOnPlaceOrThreads) {
  for_every<Activation>([](Activation f) {
    const auto x = random_floats(3 * 4096 + 65, 8, 20.0F), dy = random_floats(x.size(), 9);
    const auto y = activated(f, x, 1);
    auto dx = dy;
    activate_backward(f, known(f, x, y), dx, 1);
    for (const int threads : {2, 3, 7}) {
      EXPECT_TRUE(test::same_bits(activated(f, x, threads), y));
      auto again = dy;
      activate_backward(f, known(f, x, y), again, threads);
      EXPECT_TRUE(test::same_bits(again, dx));
    }
    for (std::size_t i = 0; i < x.size(); i += 97) {
      EXPECT_TRUE(test::same_bits(activated(f, {x[i]}), {&y[i], 1}));
      std::vector<float> one = {dy[i]};
      activate_backward(f, {&known(f, x, y)[i], 1}, one, 1);
      EXPECT_TRUE(test::same_bits(one, {&dx[i], 1}));
    }
  });
}

TEST(Activation, NamesAreDifferent) {
  std::vector<std::string> names;
  for_every<Activation>([&](Activation f) { names.emplace_back(name(f)); });
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names.size(), std::size(kActivations));
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace lockstep::kernels
