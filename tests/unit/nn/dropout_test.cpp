// What is dropped, how often, and what that depends on.
#include "nn/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "nn/gradients.h"

namespace lockstep::nn {
namespace {

constexpr double kSigmas = 5.0;  // of the normal distribution that a count comes near to

class NoSink final : public GradientSink {
 public:
  void add(const GradientTerms&) override { ADD_FAILURE() << "a dropout layer has no gradients"; }
};

std::vector<std::uint32_t> consecutive_ids(std::size_t n, std::uint32_t first = 0) {
  std::vector<std::uint32_t> samples(n);
  std::iota(samples.begin(), samples.end(), first);
  return samples;
}

std::vector<float> forward(const Dropout& layer, const std::vector<float>& x, const PassContext& pass) {
  const std::size_t width = layer.inputs(), rows = x.size() / width;
  std::vector<float> y(x.size(), std::nanf(""));
  layer.forward({x.data(), rows, width}, {}, {y.data(), rows, width}, pass);
  return y;
}

// What each unit of each sample is multiplied with, row by row.
std::vector<float> masks(const Dropout& layer, const PassContext& pass) {
  return forward(layer, std::vector<float>(pass.sample_ids.size() * layer.inputs(), 1.0F), pass);
}

std::vector<float> mask(const Dropout& layer, std::uint64_t seed, std::uint32_t step, std::uint32_t sample) {
  return masks(layer, {.seed = seed, .step = step, .sample_ids = {&sample, 1}});
}

double dropped(std::span<const float> mask) {
  return static_cast<double>(std::count(mask.begin(), mask.end(), 0.0F)) / static_cast<double>(mask.size());
}

TEST(Dropout, ARateOfZeroIsTheIdentity) {
  const auto x = test::random_floats(21 * 7, 1), dy = test::random_floats(21 * 7, 2);
  const auto samples = consecutive_ids(21);
  const PassContext pass{.seed = 3, .step = 4, .sample_ids = samples};
  const Dropout layer(0.0, 7, 0);
  EXPECT_TRUE(test::same_bits(forward(layer, x, pass), x));
  auto dx = dy;
  NoSink sink;
  layer.backward({}, {}, {dx.data(), 21, 7}, {}, 0, sink, {dx.data(), 21, 7}, pass);
  EXPECT_TRUE(test::same_bits(dx, dy));
}

TEST(Dropout, AnEvaluationIsTheIdentity) {
  const auto x = test::random_floats(21 * 7, 1);
  const Dropout layer(0.9, 7, 0);
  EXPECT_TRUE(test::same_bits(forward(layer, x, {.threads = 2, .seed = 3, .step = 4}), x));
  const std::vector<double> wide(x.begin(), x.end());
  std::vector<double> y(wide.size());
  layer.forward_in_double(wide, {}, y, {});
  EXPECT_EQ(y, wide);
}

TEST(Dropout, DropsAtItsRateAndKeepsTheMean) {
  constexpr std::size_t kWidth = 333, kRows = 3000;
  const auto samples = consecutive_ids(kRows);
  for (const double rate : {0.01, 0.1, 0.5, 0.75, 0.9}) {
    SCOPED_TRACE(rate);
    const auto m = masks(Dropout(rate, kWidth, 2), {.seed = 5, .step = 6, .sample_ids = samples});
    const double error = kSigmas * std::sqrt(rate * (1.0 - rate) / static_cast<double>(m.size()));
    EXPECT_NEAR(dropped(m), rate, error);
    EXPECT_NEAR(std::accumulate(m.begin(), m.end(), 0.0) / static_cast<double>(m.size()), 1.0,
                error / (1.0 - rate) + 1e-6);
    const auto growth = static_cast<float>(1.0 / (1.0 - rate));
    for (const float factor : m) EXPECT_TRUE(factor == 0.0F || factor == growth) << factor;
  }
}

TEST(Dropout, DropsEveryUnitAndOfEverySampleAtItsRate) {
  constexpr std::size_t kWidth = 203, kRows = 1000;
  constexpr double kRate = 0.4, kMoreSigmas = 6.0;  // some 1200 of them are looked at
  const auto samples = consecutive_ids(kRows, 77);
  const auto m = masks(Dropout(kRate, kWidth, 0), {.seed = 8, .step = 9, .sample_ids = samples});
  for (std::size_t i = 0; i < kRows; ++i)
    EXPECT_NEAR(dropped(std::span(m).subspan(i * kWidth, kWidth)), kRate,
                kMoreSigmas * std::sqrt(kRate * (1.0 - kRate) / kWidth));
  for (std::size_t j = 0; j < kWidth; ++j) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < kRows; ++i) count += m[i * kWidth + j] == 0.0F;
    EXPECT_NEAR(static_cast<double>(count) / kRows, kRate,
                kMoreSigmas * std::sqrt(kRate * (1.0 - kRate) / kRows));
  }
}

TEST(Dropout, ARowsMaskDependsOnItsSampleAndNotOnItsPlaceOrThreads) {
  constexpr std::size_t kWidth = 1021;  // several threads' work
  const Dropout layer(0.5, kWidth, 1);
  const std::vector<std::uint32_t> samples = {7, 0, 4000000000U, 12, 3, 7, 50000, 1};
  for (const int threads : {1, 2, 3, 7}) {
    const auto m = masks(layer, {.threads = threads, .seed = 8, .step = 9, .sample_ids = samples});
    for (std::size_t i = 0; i < samples.size(); ++i)
      EXPECT_TRUE(test::same_bits(std::span(m).subspan(i * kWidth, kWidth), mask(layer, 8, 9, samples[i])));
  }
}

TEST(Dropout, AUnitsMaskDoesNotDependOnTheWidth) {
  const auto wide = mask(Dropout(0.5, 65, 3), 8, 9, 10);
  for (const std::size_t width : {1, 7, 21, 63, 64})
    EXPECT_TRUE(test::same_bits(mask(Dropout(0.5, width, 3), 8, 9, 10), std::span(wide).first(width)));
}

// Masks of other draws agree in as many units as chance has it.
TEST(Dropout, SeedStepSampleAndLayerEachHaveDrawsOfTheirOwn) {
  constexpr std::size_t kWidth = 4000;
  const Dropout layer(0.5, kWidth, 1), another(0.5, kWidth, 2);
  const auto base = mask(layer, 8, 9, 10);
  const std::pair<const char*, std::vector<float>> others[] = {
      {"seed", mask(layer, 7, 9, 10)},    {"seed's upper half", mask(layer, 8 + (1ULL << 32), 9, 10)},
      {"step", mask(layer, 8, 10, 10)},   {"sample", mask(layer, 8, 9, 11)},
      {"layer", mask(another, 8, 9, 10)}, {"step for sample", mask(layer, 8, 10, 9)}};
  for (const auto& [what, other] : others) {
    std::size_t same = 0;
    for (std::size_t j = 0; j < kWidth; ++j) same += base[j] == other[j];
    EXPECT_NEAR(static_cast<double>(same) / kWidth, 0.5, kSigmas * 0.5 / std::sqrt(kWidth)) << what;
  }
}

TEST(Dropout, BackwardHasForwardsMask) {
  constexpr std::size_t kWidth = 21, kRows = 9;
  const Dropout layer(0.3, kWidth, 1);
  const auto samples = consecutive_ids(kRows, 40);
  for (const int threads : {1, 3}) {
    const PassContext pass{.threads = threads, .seed = 8, .step = 9, .sample_ids = samples};
    const auto m = masks(layer, pass);
    const auto dy = test::random_floats(kRows * kWidth, 3);
    auto dx = dy;
    NoSink sink;
    layer.backward({}, {}, {dx.data(), kRows, kWidth}, {}, 0, sink, {dx.data(), kRows, kWidth}, pass);
    for (std::size_t i = 0; i < dx.size(); ++i) EXPECT_EQ(dx[i], dy[i] * m[i]);
  }
}

TEST(Dropout, WhatIsDroppedIsZeroEvenWhereItWasNoNumber) {
  const Dropout layer(0.5, 64, 0);
  const std::uint32_t sample = 1;
  const PassContext pass{.sample_ids = {&sample, 1}};
  const auto m = masks(layer, pass);
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    const auto y = forward(layer, std::vector<float>(64, bad), pass);
    for (std::size_t j = 0; j < 64; ++j) EXPECT_EQ(y[j] == 0.0F, m[j] == 0.0F);
  }
}

TEST(Dropout, InPlaceIsTheSameAsApart) {
  const Dropout layer(0.5, 7, 0);
  const auto samples = consecutive_ids(5);
  const PassContext pass{.seed = 1, .sample_ids = samples};
  const auto x = test::random_floats(35, 1);
  auto y = x;
  layer.forward({y.data(), 5, 7}, {}, {y.data(), 5, 7}, pass);
  EXPECT_TRUE(test::same_bits(y, forward(layer, x, pass)));
}

// The activation's backward pass works from its output.
TEST(Dropout, LeavesTheOutputOfTheActivationBeforeItAlone) {
  const Model model(test::with_layers({test::dense(6), test::pointwise(kernels::Activation::kTanh),
                                       test::dropout(0.5), test::dense()}),
                    4, 3);
  const auto arena = test::random_floats(model.parameters(), 1);
  const auto batch = test::random_batch(9, 4, 3, 2);
  const auto samples = consecutive_ids(9);
  const auto activations = [&](const PassContext& pass) {
    Workspace workspace(model, 9, Workspace::Use::kForwardAndBackward);
    test::fill_input(batch, workspace.input(9));
    model.forward(arena, workspace, 9, pass);
    const auto y = workspace.output(1, 9);
    return std::vector<float>(y.data, y.data + 9 * 6);
  };
  EXPECT_TRUE(test::same_bits(activations({.seed = 1, .sample_ids = samples}), activations({})));
}

TEST(Dropout, TheLayersOfANetworkHaveMasksOfTheirOwn) {
  const Model model(test::with_layers({test::dropout(0.5), test::dropout(0.5), test::dense()}), 1000, 1);
  const std::uint32_t sample = 3;
  std::vector<double> y(1000, 1.0);
  const auto after = [&](std::size_t layers) {
    for (std::size_t l = 0; l < layers; ++l) {
      const auto x = y;
      model.layers()[l]->forward_in_double(x, {}, y, {.sample_ids = {&sample, 1}});
    }
    return static_cast<double>(std::count(y.begin(), y.end(), 0.0)) / 1000.0;
  };
  EXPECT_NEAR(after(2), 0.75, kSigmas * std::sqrt(0.25 * 0.75 / 1000.0));  // one mask twice: a half
}

TEST(Dropout, RefusesRatesAndSizesThatItHasNoDrawsFor) {
  for (const double rate : {-0.1, 1.0, 2.0, std::nan("")})
    test::expect_line_with(test::message_of<ConfigError>([&] { Dropout(rate, 7, 0); }), {"rate", "expected"});
  EXPECT_NO_THROW(Dropout(0.5, std::size_t{1} << 26, 255));
  test::expect_line_with(test::message_of<ConfigError>([] { Dropout(0.5, 7, 256); }), {"256", "2^8"});
  test::expect_line_with(test::message_of<ConfigError>([] { Dropout(0.5, (std::size_t{1} << 26) + 1, 0); }),
                         {"67108865", "2^26"});
  const auto samples = consecutive_ids(3);
  EXPECT_THROW(forward(Dropout(0.5, 7, 0), std::vector<float>(14), {.sample_ids = samples}), ShapeError);
}

}  // namespace
}  // namespace lockstep::nn
