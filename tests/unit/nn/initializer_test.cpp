// The initialisers' distributions, and what a value may depend on.
#include "nn/initializer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "support.h"

namespace lockstep::nn {
namespace {

constexpr std::size_t kInputs = 300, kHidden = 200, kOutputs = 10;

Model model() {
  ModelOptions options;
  options.hidden = {kHidden};
  return {options, kInputs, kOutputs};
}

std::vector<float> initialized(const std::string& init, std::uint64_t seed = 1) {
  const Model network = model();
  std::vector<float> arena(network.parameters(), std::nanf(""));
  initialize(Initializer::parse(init), network.tensors(), seed, arena);
  return arena;
}

// First, second and fourth moment, and the largest magnitude.
struct Moments {
  double mean = 0.0, variance = 0.0, fourth = 0.0, largest = 0.0;
};
Moments moments(std::span<const float> x) {
  Moments m;
  const auto n = static_cast<double>(x.size());
  for (const float value : x) m.mean += value / n;
  for (const float value : x) {
    m.variance += std::pow(value - m.mean, 2) / n;
    m.fourth += std::pow(value - m.mean, 4) / n;
    m.largest = std::max(m.largest, std::fabs(static_cast<double>(value)));
  }
  return m;
}

// Five standard errors on each moment; kurtosis is the fourth moment over the squared variance.
void expect_moments(std::span<const float> x, double variance, double kurtosis) {
  const Moments m = moments(x);
  const double error = 5.0 / std::sqrt(static_cast<double>(x.size()));
  EXPECT_NEAR(m.mean, 0.0, error * std::sqrt(variance));
  EXPECT_NEAR(m.variance / variance, 1.0, error * std::sqrt(kurtosis - 1.0));
  EXPECT_NEAR(m.fourth / (variance * variance) / kurtosis, 1.0, error * 4.0);
}

TEST(Initialize, GlorotIsUniformWithinItsBound) {
  const auto arena = initialized("glorot");
  const Model network = model();
  const auto& tensors = network.tensors();
  for (const Tensor& tensor : tensors) {
    if (!tensor.is_weight()) continue;
    const auto weights = tensor.slice(std::span(arena));
    const double bound = std::sqrt(6.0 / static_cast<double>(tensor.shape[0] + tensor.shape[1]));
    EXPECT_LE(moments(weights).largest, bound * (1.0 + 1e-6));
    EXPECT_GE(moments(weights).largest, bound * 0.99);
    expect_moments(weights, bound * bound / 3.0, 9.0 / 5.0);
  }
}

TEST(Initialize, HeIsNormalWithTheVarianceOfItsInputs) {
  const auto arena = initialized("he");
  const Model network = model();
  for (const Tensor& tensor : network.tensors())
    if (tensor.is_weight())
      expect_moments(tensor.slice(std::span(arena)), 2.0 / static_cast<double>(tensor.shape[1]), 3.0);
}

TEST(Initialize, NormalHasItsDeviation) {
  for (const double sigma : {0.01, 2.5}) {
    const auto arena = initialized("normal(" + std::to_string(sigma) + ")");
    const Model network = model();
    for (const Tensor& tensor : network.tensors())
      if (tensor.is_weight()) expect_moments(tensor.slice(std::span(arena)), sigma * sigma, 3.0);
  }
}

TEST(Initialize, BiasesAreZero) {
  for (const char* init : {"glorot", "he", "normal(0.5)"}) {
    const auto arena = initialized(init);
    const Model network = model();
    for (const Tensor& tensor : network.tensors()) {
      if (tensor.is_weight()) continue;
      for (const float x : tensor.slice(std::span(arena))) EXPECT_EQ(x, 0.0F);
    }
  }
}

TEST(Initialize, DependsOnTheSeedAlone) {
  for (const char* init : {"glorot", "he", "normal(0.5)"}) {
    EXPECT_TRUE(test::same_bits(initialized(init, 7), initialized(init, 7)));
    EXPECT_FALSE(test::same_bits(initialized(init, 7), initialized(init, 8)));
    EXPECT_FALSE(test::same_bits(initialized(init, 7), initialized(init, 7 + (1ULL << 32))));
  }
}

TEST(Initialize, TensorsHaveDrawsOfTheirOwn) {
  ModelOptions options;
  options.hidden = {20, 20};
  const Model network(options, 20, 20);
  std::vector<float> arena(network.parameters());
  initialize(Initializer::parse("glorot"), network.tensors(), 1, arena);
  std::set<float> values;
  std::size_t weights = 0;
  for (const Tensor& tensor : network.tensors()) {
    if (!tensor.is_weight()) continue;
    weights += tensor.size;
    for (const float x : tensor.slice(std::span(arena))) values.insert(x);
  }
  EXPECT_GE(values.size(), weights - 5);  // a few of 1200 draws may round to the same float
}

TEST(InitializerParse, TakesSigma) {
  EXPECT_EQ(Initializer::parse("normal(0.01)").sigma, 0.01);
  EXPECT_EQ(Initializer::parse("normal(1e-3)").sigma, 1e-3);
  EXPECT_EQ(Initializer::parse("normal(0)").sigma, 0.0);
}

TEST(InitializerParse, RefusesEverythingElse) {
  for (const char* text :
       {"", "Glorot", "normal", "normal()", "normal(", "normal(-1)", "normal(nan)", "normal(inf)",
        "normal(0.1", "normal(0.1)x", "normal(0.1x)", "normal( 0.1)", "he "})
    test::expect_line_with(test::message_of<ConfigError>([&] { Initializer::parse(text); }),
                           {"model.init", text, "glorot", "he", "normal(SIGMA)"});
}

}  // namespace
}  // namespace lockstep::nn
