// How exact the activations are where digits are easily lost, and that they obey their parameters.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/activation.h"
#include "reference_network.h"
#include "support.h"

namespace lockstep::kernels {
namespace {

using test::for_every;

constexpr ActivationParameters kParameterSets[] = {{},
                                                   {.leaky_slope = 0.0, .elu_alpha = 0.25},
                                                   {.leaky_slope = 0.3, .elu_alpha = 2.0},
                                                   {.leaky_slope = 1.5}};

// Positive numbers from the smallest normal floats to 80, three to an octave where functions bend.
std::vector<float> magnitudes() {
  std::vector<float> x = {0x1p-126F, 1e-30F, 1e-20F, 1e-12F, 0.625F, std::nextafter(0.625F, 0.0F)};
  for (float m = 0x1p-26F; m < 80.0F; m *= 1.26F) x.push_back(m);
  return x;
}

std::vector<float> both_signs(const std::vector<float>& magnitudes) {
  std::vector<float> x;
  for (const float m : magnitudes) x.insert(x.end(), {m, -m});
  return x;
}

TEST(Activate, KeepsItsDigitsOfSmallAndLargeNumbers) {
  for_every<Activation>([](Activation f) {
    for (const ActivationParameters& parameters : kParameterSets) {
      const auto x = both_signs(magnitudes());
      auto y = x;
      activate(f, y, 1, parameters);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double exact = test::activation(f, x[i], parameters);
        const bool gelu = f == Activation::kGelu;
        const double smallest = gelu && x[i] < -13.1F ? 3e-38 : 0x1p-149;
        EXPECT_NEAR(y[i], exact, (gelu ? 8.0 : 4.0) * test::kFloatUnit * std::fabs(exact) + smallest) << x[i];
      }
    }
  });
}

TEST(Activate, InDoubleIsTheFormulaToTheLastDigits) {
  for_every<Activation>([](Activation f) {
    for (const ActivationParameters& parameters : kParameterSets) {
      for (const float x : both_signs(magnitudes())) {
        const double exact = test::activation(f, x, parameters);
        // erfc magnifies the rounding of its argument.
        const double room = 1e-14 + (f == Activation::kGelu ? 0x1p-52 * x * x : 0.0);
        EXPECT_NEAR(activate(f, double{x}, parameters), exact, room * std::fabs(exact)) << x;
      }
      EXPECT_EQ(activate(f, -0.0, parameters), test::activation(f, 0.0, parameters));
      EXPECT_TRUE(std::isnan(activate(f, std::nan(""), parameters)));
    }
  });
}

TEST(Activate, OfZeroIsTheSameForBothZeros) {
  for_every<Activation>([](Activation f) {
    std::vector<float> y = {0.0F, -0.0F};
    activate(f, y, 1);
    EXPECT_EQ(y[0], f == Activation::kSigmoid ? 0.5F : 0.0F);
    EXPECT_EQ(y[1], y[0]);
  });
}

TEST(Activate, NeverLeavesItsRange) {
  std::vector<float> x;
  for (float m = -100.0F; m <= 100.0F; m += 0.0137F) x.push_back(m);
  const auto values = [&](Activation f) {
    auto y = x;
    activate(f, y, 1);
    return y;
  };
  for (const float y : values(Activation::kSigmoid)) EXPECT_TRUE(y >= 0.0F && y <= 1.0F) << y;
  for (const float y : values(Activation::kTanh)) EXPECT_TRUE(y >= -1.0F && y <= 1.0F) << y;
  for (const float y : values(Activation::kElu)) EXPECT_GE(y, -1.0F);
}

// From the derivative's other form, by y, in double and at the y that there really is.
double slope_at(Activation f, double x, double y, const ActivationParameters& parameters) {
  switch (f) {
    case Activation::kIdentity:
      return 1.0;
    case Activation::kSigmoid:
      return y * (1.0 - y);
    case Activation::kTanh:
      return (1.0 - y) * (1.0 + y);
    case Activation::kRelu:
      return y > 0.0 ? 1.0 : 0.0;
    case Activation::kLeakyRelu:
      return y > 0.0 ? 1.0 : parameters.leaky_slope;
    case Activation::kElu:
      return y > 0.0 ? 1.0 : y + parameters.elu_alpha;
    case Activation::kGelu:
      return test::activation_slope(f, x);
  }
  return NAN;
}

TEST(ActivateBackward, ObeysTheParameters) {
  for_every<Activation>([](Activation f) {
    for (const ActivationParameters& parameters : kParameterSets) {
      const auto x = both_signs(magnitudes());
      auto y = x;
      activate(f, y, 1, parameters);
      std::vector<float> dx(x.size(), -3.0F);
      activate_backward(f, slope_from_input(f) ? x : y, dx, 1, parameters);
      for (std::size_t i = 0; i < x.size(); ++i) {
        // Three roundings, each of numbers no larger than 1 or the function's parameter.
        const double unit = 3.0 * test::kFloatUnit * std::max(1.0, parameters.elu_alpha);
        EXPECT_NEAR(dx[i], -3.0 * slope_at(f, x[i], y[i], parameters), 3.0 * unit) << x[i];
        EXPECT_NEAR(dx[i], -3.0 * test::activation_slope(f, x[i], parameters), 6.0 * unit) << x[i];
      }
    }
  });
}

TEST(ActivateBackward, AtZeroIsTheSlopeFromTheLeft) {
  constexpr ActivationParameters kParameters = {.leaky_slope = 0.25, .elu_alpha = 1.5};
  const std::pair<Activation, float> cases[] = {
      {Activation::kRelu, 0.0F}, {Activation::kLeakyRelu, 0.25F}, {Activation::kElu, 1.5F},
      {Activation::kTanh, 1.0F}, {Activation::kSigmoid, 0.25F},   {Activation::kIdentity, 1.0F},
      {Activation::kGelu, 0.5F}};
  for (const auto& [f, slope] : cases) {
    for (const float zero : {0.0F, -0.0F}) {
      std::vector<float> y = {zero}, dy = {2.0F};
      activate(f, y, 1, kParameters);
      if (slope_from_input(f)) y = {zero};
      activate_backward(f, y, dy, 1, kParameters);
      EXPECT_EQ(dy[0], 2.0F * slope) << name(f);
    }
  }
}

TEST(Activate, ALeakySlopeOfZeroIsTheRelu) {
  const auto x = test::random_floats(65, 1, 5.0F), dy = test::random_floats(65, 2);
  auto leaky = x, relu = x, by_leaky = dy, by_relu = dy;
  activate(Activation::kLeakyRelu, leaky, 1, {.leaky_slope = 0.0});
  activate(Activation::kRelu, relu, 1);
  activate_backward(Activation::kLeakyRelu, leaky, by_leaky, 1, {.leaky_slope = 0.0});
  activate_backward(Activation::kRelu, relu, by_relu, 1);
  EXPECT_EQ(leaky, relu);
  EXPECT_EQ(by_leaky, by_relu);
}

// Its minimum, and the edge of what normal floats hold.
TEST(Activate, TheGeluFallsAndRises) {
  const float lowest = -0.75179160F;
  std::vector<float> y = {lowest, -13.1F, std::nextafter(-13.1F, -20.0F)}, dy(3, 1.0F);
  activate_backward(Activation::kGelu, y, dy, 1);
  EXPECT_NEAR(dy[0], 0.0F, 2e-7);
  EXPECT_EQ(dy[2], 0.0F);
  activate(Activation::kGelu, y, 1);
  EXPECT_NEAR(y[0], -0.16997121F, 1e-7);
  EXPECT_EQ(y[1], 0.0F);
  EXPECT_EQ(y[2], 0.0F);
}

}  // namespace
}  // namespace lockstep::kernels
