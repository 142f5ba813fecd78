// The initialisers' distributions, and what a value may depend on.
#include "nn/initializer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "nn/gradients.h"
#include "support.h"

namespace lockstep::nn {
namespace {

constexpr std::size_t kIn = 300, kHidden = 200, kOut = 10;

Model model(const std::string& init = "glorot", const std::string& bias_init = "zeros",
            std::size_t inputs = kIn) {
  ModelOptions options;
  options.hidden = {kHidden};
  options.init = init;
  options.bias_init = bias_init;
  return {options, inputs, kOut};
}

std::vector<float> initialized(const Model& network, std::uint64_t seed = 1) {
  std::vector<float> arena(network.parameters(), std::nanf(""));
  initialize(network.tensors(), seed, arena);
  return arena;
}
std::vector<float> initialized(const std::string& init, std::uint64_t seed = 1) {
  return initialized(model(init), seed);
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
    if (!test::is_weight(tensor)) continue;
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
    if (test::is_weight(tensor))
      expect_moments(tensor.slice(std::span(arena)), 2.0 / static_cast<double>(tensor.shape[1]), 3.0);
}

TEST(Initialize, NormalHasItsDeviation) {
  for (const double sigma : {0.01, 2.5}) {
    const auto arena = initialized("normal(" + std::to_string(sigma) + ")");
    const Model network = model();
    for (const Tensor& tensor : network.tensors())
      if (test::is_weight(tensor)) expect_moments(tensor.slice(std::span(arena)), sigma * sigma, 3.0);
  }
}

TEST(Initialize, UniformIsUniformWithinItsBound) {
  for (const double bound : {0.03, 4.0}) {
    const Model network = model("uniform(" + std::to_string(bound) + ")");
    const auto arena = initialized(network);
    for (const Tensor& tensor : network.tensors()) {
      if (!test::is_weight(tensor)) continue;
      const auto weights = tensor.slice(std::span(arena));
      EXPECT_LE(moments(weights).largest, bound * (1.0 + 1e-6));
      EXPECT_GE(moments(weights).largest, bound * 0.99);
      expect_moments(weights, bound * bound / 3.0, 9.0 / 5.0);
    }
  }
}

TEST(Initialize, ZerosAreZero) {
  for (const float x : initialized("zeros")) EXPECT_TRUE(test::same_bits({&x, 1}, std::vector<float>{0.0F}));
}

TEST(Initialize, BiasesAreZeroUnlessTheyAreToBeDrawn) {
  for (const char* init : {"glorot", "he", "normal(0.5)", "uniform(0.5)"}) {
    const auto arena = initialized(init);
    const Model network = model();
    for (const Tensor& tensor : network.tensors()) {
      if (test::is_weight(tensor)) continue;
      for (const float x : tensor.slice(std::span(arena))) EXPECT_EQ(x, 0.0F);
    }
  }
}

TEST(Initialize, BiasesAreDrawnAsTheyAreToBe) {
  const Model uniform = model("zeros", "uniform(0.5)"), normal = model("zeros", "normal(2)");
  const auto of_uniform = initialized(uniform), of_normal = initialized(normal);
  for (const Tensor& tensor : uniform.tensors()) {
    const auto values = tensor.slice(std::span(of_uniform));
    if (test::is_weight(tensor)) {
      EXPECT_EQ(moments(values).largest, 0.0);
    } else {
      EXPECT_LE(moments(values).largest, 0.5);
      expect_moments(values, 0.25 / 3.0, 9.0 / 5.0);
      expect_moments(tensor.slice(std::span(of_normal)), 4.0, 3.0);
    }
  }
}

TEST(Initialize, BiasesDoNotChangeTheWeights) {
  const Model drawn = model("he", "normal(1)");
  const auto with = initialized(drawn), without = initialized("he");
  for (const Tensor& tensor : drawn.tensors())
    EXPECT_EQ(test::same_bits(tensor.slice(std::span(with)), tensor.slice(std::span(without))),
              test::is_weight(tensor));
}

// What runs of the past were started from, and files of weights were made of.
TEST(Initialize, AnElementIsAFunctionOfSeedTensorAndPlace) {
  constexpr std::uint64_t kSeed = 12345678901ULL;
  const auto expect_values = [](const std::string& init, auto&& formula) {
    const Model network = model(init, "normal(0.25)");
    const auto arena = initialized(network, kSeed);
    for (std::uint32_t t = 0; t < network.tensors().size(); ++t) {
      const Tensor& tensor = network.tensors()[t];
      const RandomStream stream(kSeed, Purpose::kInitialisation, t);
      const auto values = tensor.slice(std::span(arena));
      for (std::uint32_t i = 0; i < values.size(); ++i) {
        const double expected = test::is_weight(tensor)
                                    ? formula(stream, i, static_cast<double>(tensor.shape[1]),
                                              static_cast<double>(tensor.shape[0]))
                                    : 0.25 * stream.normal(i);
        ASSERT_EQ(values[i], static_cast<float>(expected)) << init << ", " << tensor.name << " " << i;
      }
    }
  };
  expect_values("glorot", [](const RandomStream& s, std::uint32_t i, double in, double out) {
    return (2.0 * s.uniform(i) - 1.0) * std::sqrt(6.0 / (in + out));
  });
  expect_values("he", [](const RandomStream& s, std::uint32_t i, double in, double) {
    return s.normal(i) * std::sqrt(2.0 / in);
  });
  expect_values("normal(0.01)",
                [](const RandomStream& s, std::uint32_t i, double, double) { return s.normal(i) * 0.01; });
  expect_values("uniform(3)", [](const RandomStream& s, std::uint32_t i, double, double) {
    return (2.0 * s.uniform(i) - 1.0) * 3.0;
  });
}

TEST(Initialize, ALayersOwnInitializersComeBeforeTheModels) {
  ModelOptions options;
  options.init = "zeros";
  options.bias_init = "normal(1)";
  options.layers = {test::dense(200), test::dense(200), test::dense()};
  options.layers[1].init = "uniform(0.5)";
  options.layers[1].bias_init = "zeros";
  const Model network(options, 20, 3);
  const auto arena = initialized(network);
  const auto largest = [&](std::size_t t) {
    return moments(network.tensors()[t].slice(std::span(arena))).largest;
  };
  EXPECT_EQ(largest(0), 0.0);
  EXPECT_GT(largest(1), 1.0);
  EXPECT_NEAR(largest(2), 0.5, 0.01);
  EXPECT_EQ(largest(3), 0.0);
  EXPECT_EQ(largest(4), 0.0);
  EXPECT_GT(largest(5), 0.0);
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
  initialize(network.tensors(), 1, arena);
  std::set<float> values;
  std::size_t weights = 0;
  for (const Tensor& tensor : network.tensors()) {
    if (!test::is_weight(tensor)) continue;
    weights += tensor.size;
    for (const float x : tensor.slice(std::span(arena))) values.insert(x);
  }
  EXPECT_GE(values.size(), weights - 5);  // a few of 1200 draws may round to the same float
}

TEST(InitializerParse, TakesEveryName) {
  using Kind = Initializer::Kind;
  EXPECT_EQ(Initializer::parse_weight("glorot", "k").kind, Kind::kGlorot);
  EXPECT_EQ(Initializer::parse_weight("he", "k").kind, Kind::kHe);
  EXPECT_EQ(Initializer::parse_filters("he", "k").kind, Kind::kHe);
  EXPECT_EQ(Initializer::parse_filters("dirac", "k").kind, Kind::kDirac);
  for (const auto parse : {&Initializer::parse_weight, &Initializer::parse_bias}) {
    EXPECT_EQ(parse("zeros", "k").kind, Kind::kZeros);
    EXPECT_EQ(parse("normal(0.01)", "k").kind, Kind::kNormal);
    EXPECT_EQ(parse("uniform(0.5)", "k").kind, Kind::kUniform);
  }
}

TEST(InitializerParse, TakesTheNumberInBrackets) {
  for (const auto parse : {&Initializer::parse_weight, &Initializer::parse_bias}) {
    for (const std::string name : {"normal", "uniform"}) {
      EXPECT_EQ(parse(name + "(0.01)", "k").parameter, 0.01);
      EXPECT_EQ(parse(name + "(1e-3)", "k").parameter, 1e-3);
      EXPECT_EQ(parse(name + "(0)", "k").parameter, 0.0);
      EXPECT_EQ(parse(name + "(12)", "k").parameter, 12.0);
    }
  }
}

TEST(InitializerParse, RefusesEverythingElseAndNamesTheKey) {
  std::vector<std::string> texts = {"", "Glorot", "he ", "zero", "zeros()", "(1)", "normal(1)uniform(1)"};
  for (const std::string name : {"normal", "uniform"})
    for (const char* rest : {"", "()", "(", ")", "(-1)", "(nan)", "(inf)", "(1e999)", "(0.1", "(0.1)x",
                             "(0.1x)", "( 0.1)", "(0.1 )", "((0.1))", " (0.1)"})
      texts.push_back(name + rest);
  for (const std::string& text : texts) {
    const std::string found = "some.key is \"" + text + "\"";
    test::expect_line_with(
        test::message_of<ConfigError>([&] { Initializer::parse_weight(text, "some.key"); }),
        {found, "expected", "\"glorot\"", "\"he\"", "\"normal(SIGMA)\"", "\"uniform(A)\"", "\"zeros\""});
    test::expect_line_with(test::message_of<ConfigError>([&] { Initializer::parse_bias(text, "some.key"); }),
                           {found, "expected", "\"normal(SIGMA)\"", "\"uniform(A)\"", "\"zeros\""});
  }
}

TEST(InitializerParse, DiracIsOfFilters) {
  test::expect_line_with(
      test::message_of<ConfigError>([] { Initializer::parse_weight("dirac", "some.key"); }),
      {"some.key is \"dirac\", which only conv layers take, expected \"glorot\""});
  test::expect_line_with(
      test::message_of<ConfigError>([] { Initializer::parse_filters("dirak", "some.key"); }),
      {"some.key is \"dirak\", expected \"glorot\", \"he\", \"dirac\", \"normal(SIGMA)\""});
}

TEST(InitializerParse, ABiasHasNoNumberOfInputs) {
  for (const std::string text : {"glorot", "he"}) {
    const std::string line =
        test::message_of<ConfigError>([&] { Initializer::parse_bias(text, "model.bias_init"); });
    test::expect_line_with(line, {"model.bias_init is \"" + text + "\"", "expected \"zeros\""});
  }
}

// A network of one convolution of 3 channels.
Model dirac_model(std::size_t filters, std::size_t size) {
  ModelOptions options;
  options.layers = {{.kind = LayerOptions::Kind::kConv, .init = "dirac", .filters = filters, .size = size},
                    {}};
  return {options, 3 * 8 * 8, 2, ImageShape{3, 8, 8}};
}

TEST(Initialize, DiracPassesChannelsOnAndDrawsTheOtherFilters) {
  for (const std::size_t filters : {2UL, 3UL, 200UL}) {
    for (const std::size_t size : {1UL, 2UL, 3UL, 4UL}) {
      const Model network = dirac_model(filters, size);
      const Tensor& weight = network.tensors().front();
      const auto arena = initialized(network);
      const auto in_file = to_file_order(weight, weight.slice(std::span(arena)));
      const std::size_t taps = size * size, of_filter = 3 * taps, middle = size / 2 * size + size / 2;
      for (std::size_t i = 0; i < std::min<std::size_t>(3, filters) * of_filter; ++i)
        EXPECT_EQ(in_file[i], i % of_filter == i / of_filter * taps + middle ? 1.0F : 0.0F) << i;
      if (filters <= 3) continue;
      const auto drawn = std::span(in_file).subspan(3 * of_filter);
      const double bound = 1.0 / std::sqrt(static_cast<double>(of_filter));
      EXPECT_LE(moments(drawn).largest, bound * (1.0 + 1e-6));
      expect_moments(drawn, bound * bound / 3.0, 9.0 / 5.0);
    }
  }
}

}  // namespace
}  // namespace lockstep::nn
