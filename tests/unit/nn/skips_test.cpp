// Residual connections: outputs and gradients of networks that add earlier outputs, whose buffers they need,
// and names that make none.
#include "nn/skips.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "nn/gradients.h"
#include "nn/model.h"

namespace lockstep::nn::skips {
namespace {

using kernels::Activation;
using test::add;
using test::dense;
using test::dropout;
using test::multiply;
using test::named;
using test::pointwise;
using Kind = LayerOptions::Kind;
using Layers = std::vector<LayerOptions>;

constexpr ImageShape kImage{2, 4, 3};
constexpr std::size_t kOutputs = 3, kRows = 7;
const std::vector<std::size_t> kMicroBatches = {3, 4};
const LayerOptions kTanh = pointwise(Activation::kTanh), kGelu = pointwise(Activation::kGelu),
                   kFlat{.kind = Kind::kFlatten}, kNorm{.kind = Kind::kBatchNorm},
                   kPool{.kind = Kind::kMaxPool, .size = 2, .stride = 1};

LayerOptions conv(std::size_t filters, bool bias = true) {
  return {.kind = Kind::kConv, .bias = bias, .filters = filters, .size = 3};
}

struct SkipCase {
  const char* name;
  Layers layers;
};
const SkipCase kSkipCases[] = {
    {"over a dense layer", {named("a", dense(6)), kTanh, dense(6), add("a"), kTanh, dense()}},
    {"over nothing", {named("a", dense(6)), add("a"), dense()}},
    {"over elementwise layers",
     {named("a", dense(6)), dropout(0.3), kTanh, multiply(2), kGelu, add("a"), dense()}},
    {"of an activation", {dense(6), named("a", kTanh), multiply(2), dense(6), add("a"), dense()}},
    {"of a gelu's input", {named("a", dense(6)), kGelu, dense(6), add("a"), kGelu, dense()}},
    {"twice of one layer",
     {named("a", dense(6)), kTanh, dense(6), add("a"), kTanh, dense(6), add("a"), dense()}},
    {"thrice in a row", {named("a", dense(6)), kTanh, add("a"), add("a"), add("a"), dense()}},
    {"chained",
     {named("a", dense(6)), kTanh, dense(6), named("b", add("a")), kTanh, dense(6), named("c", add("b")),
      kTanh, dense(6), add("c"), dense()}},
    {"nested",
     {named("a", dense(6)), kTanh, named("b", dense(6)), kTanh, dense(6), add("b"), kTanh, dense(6), add("a"),
      dense()}},
    {"crossed",
     {named("a", dense(6)), kTanh, named("b", dense(6)), kTanh, dense(6), add("a"), kTanh, dense(6), add("b"),
      dense()}},
    {"of different widths",
     {named("a", dense(9)), kTanh, dense(9), add("a"), named("b", dense(5)), kTanh, dense(5), add("b"),
      dense()}},
    {"at the end", {named("a", dense(kOutputs)), kTanh, dense(), add("a")}},
    {"of what has no parameters below it", {named("a", kTanh), kFlat, dense(24), kTanh, dense()}},
    {"of the image", {named("a", kTanh), conv(2), add("a"), kTanh, dense()}},
    {"of the flattened image", {named("a", kFlat), kTanh, dense(24), add("a"), dense()}},
    {"over a convolution", {named("a", conv(4)), kTanh, conv(4), add("a"), kTanh, dense()}},
    {"over batch norm", {named("a", conv(4)), kNorm, kTanh, conv(4, false), kNorm, add("a"), kTanh, dense()}},
    {"of a pool", {conv(4), named("a", kPool), kTanh, conv(4), add("a"), kTanh, kPool, dense()}},
};

struct Pass {
  explicit Pass(const Layers& layers)
      : model(test::with_layers(layers), kImage.size(), kOutputs, kImage),
        arena(test::random_floats(model.parameters(), 8, 0.8F)),
        batch(test::random_batch(kRows, kImage.size(), kOutputs, 4)) {
    for (std::size_t i = 0; i < kRows; ++i) ids.push_back(static_cast<std::uint32_t>(100 - 7 * i));
    context = {.threads = 1, .seed = 3, .step = 5, .sample_ids = ids, .micro_batches = kMicroBatches};
  }
  std::vector<double> gradient(Workspace& workspace) const {
    auto sums = test::gradient_of(model, kLoss, arena, batch, context, workspace);
    for (const Tensor& tensor : model.tensors())
      if (!tensor.has_gradient()) std::ranges::fill(tensor.slice(std::span(sums)), 0.0);
    return sums;
  }
  static constexpr auto kLoss = kernels::Loss::kHalfMse;
  Model model;
  std::vector<float> arena;
  std::vector<test::Sample> batch;
  std::vector<std::uint32_t> ids;
  PassContext context;
};

TEST(Skips, HaveTheGradientsOfTheirDifferenceQuotients) {
  for (const auto& [name, layers] : kSkipCases) {
    SCOPED_TRACE(name);
    Pass pass(layers);
    Workspace workspace(pass.model, kRows, Workspace::Use::kForwardAndBackward);
    auto quotients = test::central_differences(pass.model, Pass::kLoss, pass.arena, pass.batch, pass.context);
    for (const Tensor& tensor : pass.model.tensors())
      if (!tensor.has_gradient()) std::ranges::fill(tensor.slice(std::span(quotients)), 0.0);
    for (const int threads : {1, 3}) {
      pass.context.threads = threads;
      test::expect_close_tensors(pass.model, pass.gradient(workspace), quotients, 3e-5);
    }
  }
}

TEST(Skips, HaveTheOutputsOfPlainLoops) {
  for (const auto& [name, layers] : kSkipCases) {
    SCOPED_TRACE(name);
    const Pass pass(layers);
    std::vector<double> x, wide(pass.arena.begin(), pass.arena.end());
    for (const test::Sample& sample : pass.batch) x.insert(x.end(), sample.x.begin(), sample.x.end());
    Workspace workspace(pass.model, kRows, Workspace::Use::kForward);
    test::fill_input(pass.batch, workspace.input(kRows));
    const auto outputs = pass.model.forward(pass.arena, workspace, kRows, pass.context);
    const auto expected = pass.model.forward_in_double(wide, x, pass.context);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(outputs.data[i], expected[i], 2e-5 * (1.0 + std::fabs(expected[i])));
    const auto inputs = pass.model.inputs_in_double(wide, x, pass.context);
    for (std::size_t l = 0; l < pass.model.layers().size(); ++l)
      EXPECT_EQ(pass.model.forward_in_double(wide, l, std::span(inputs).first(l + 1), pass.context),
                expected);
  }
}

// y = w2 (w1 x) + w1 x, by hand.
TEST(Skips, AddTheNamedOutput) {
  const Model model(test::with_layers({named("a", dense(2, false)), dense(2, false), add("a")}), 1, 2);
  const std::vector<float> arena = {2, -3, 1, 1, 0, 5};
  Workspace workspace(model, 1, Workspace::Use::kForward);
  workspace.input(1).data[0] = 10;
  const auto y = model.forward(arena, workspace, 1, {});
  EXPECT_EQ(y.data[0], (20 - 30) + 20);
  EXPECT_EQ(y.data[1], (-150) - 30);
}

TEST(Skips, AnOutputThatIsAddedLaterStaysInItsPlace) {
  const Model model(
      test::with_layers({named("a", dense(6)), kTanh, kTanh, dropout(0.1), add("a"), dropout(0.2), dense()}),
      4, kOutputs);
  const bool expected[] = {false, false, false, false, true, true, false};
  for (std::size_t l = 0; l < std::size(expected); ++l) EXPECT_EQ(model.in_place(l), expected[l]) << l;
}

// Gradients wait in as few buffers as are needed at once, and in none where nothing below learns.
TEST(Skips, GradientsShareBuffers) {
  const auto widths = [](const Layers& layers) {
    return Model(test::with_layers(layers), kImage.size(), kOutputs, kImage).skips().buffer_widths();
  };
  using Widths = std::vector<std::size_t>;
  std::size_t number = 0;
  const auto of_case = [&](const std::string& name) {
    for (number = 0; kSkipCases[number].name != name;) ++number;
    return widths(kSkipCases[number].layers);
  };
  EXPECT_EQ(of_case("chained"), Widths{6});
  EXPECT_EQ(of_case("nested"), (Widths{6, 6}));
  EXPECT_EQ(of_case("of different widths"), Widths{9});
  EXPECT_EQ(of_case("of the image"), Widths{});
  EXPECT_EQ(of_case("of the flattened image"), Widths{});
}

TEST(Skips, AWorkspaceCountsThem) {
  const auto bytes = [](const Layers& layers, Workspace::Use use) {
    const Model model(test::with_layers(layers), 4, kOutputs);
    const Workspace workspace(model, 10, use);
    EXPECT_EQ(Workspace::rows_within(workspace.bytes(), model, use), 10U);
    EXPECT_EQ(Workspace::rows_within(workspace.bytes() - 1, model, use), 9U);
    return workspace.bytes();
  };
  const Layers with = {named("a", dense(6)), kTanh, dense(6), add("a"), dense()},
               without = {dense(6), kTanh, dense(6), dense()};
  constexpr std::size_t kOne = 10 * 6 * sizeof(float);  // tanh cannot take a's place
  EXPECT_EQ(bytes(with, Workspace::Use::kForward), bytes(without, Workspace::Use::kForward) + kOne);
  EXPECT_EQ(bytes(with, Workspace::Use::kForwardAndBackward),
            bytes(without, Workspace::Use::kForwardAndBackward) + 2 * kOne);
}

TEST(Skips, NamesThatMakeNoConnectionAreRefused) {
  const auto refused = [](const Layers& layers, std::initializer_list<std::string> parts) {
    test::expect_line_with(test::message_of<ConfigError>(
                               [&] { Model(test::with_layers(layers), kImage.size(), kOutputs, kImage); }),
                           parts);
  };
  const LayerOptions stem = named("stem", conv(4));
  refused(
      {stem, add("stme"), dense()},
      {"model.layers[1].from is \"stme\", expected the name of an earlier layer, did you mean \"stem\"?"});
  refused({conv(4), add("other"), dense()},
          {"model.layers[1].from is \"other\", expected the name of an earlier layer"});
  refused(
      {conv(4), add("stem"), stem, dense()},
      {"model.layers[1].from is \"stem\", the name of model.layers[2], expected that of an earlier layer"});
  refused({conv(4), named("self", add("self")), dense()},
          {"the name of model.layers[1], expected that of an earlier"});
  refused({stem, conv(5), add("stem"), dense()}, {"model.layers[2].from is \"stem\", whose output is 4x4x3, "
                                                  "and is added to 5x4x3, expected the same shape"});
  // Where the pool leaves a column out, the named output keeps it.
  const LayerOptions halves{.kind = Kind::kMaxPool, .size = 2, .stride = 2};
  for (const Layers& before : {Layers{stem}, Layers{conv(4), named("stem", kTanh)}}) {
    Layers layers = before;
    layers.insert(layers.end(), {halves, add("stem"), dense()});
    refused(layers, {"whose output is 4x4x3, and is added to 4x2x1"});
  }
  refused({stem, kFlat, add("stem"), dense()}, {"whose output is 4x4x3, and is added to 48 values"});
  refused({stem, conv(4), stem, dense()},
          {"model.layers[2].name is \"stem\", which is model.layers[0]'s, expected another"});
}

}  // namespace
}  // namespace lockstep::nn::skips
