// Networks as lists of layers, in every order: gradients, outputs, names, and lists that make no network.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "nn/gradients.h"
#include "nn/model.h"

namespace lockstep::nn {
namespace {

using kernels::Activation;
using kernels::Loss;
using test::dense;
using test::dropout;
using test::multiply;
using test::pointwise;
using test::with_layers;
using Layers = std::vector<LayerOptions>;

constexpr std::size_t kInputs = 5, kOutputs = 3, kRows = 9;
constexpr Activation kTanh = Activation::kTanh, kRelu = Activation::kRelu, kSigmoid = Activation::kSigmoid,
                     kGelu = Activation::kGelu;

// Scattered, so that a row's place is not its sample's number.
std::vector<std::uint32_t> spread_ids(std::size_t rows) {
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < rows; ++i) ids.push_back(static_cast<std::uint32_t>(1000 - 7 * i));
  return ids;
}

struct Case {
  const char* name;
  Layers layers;
};
const Case kCases[] = {
    {"an affine layer", {dense()}},
    {"a hidden layer", {dense(6), pointwise(kTanh), dense()}},
    {"no bias anywhere", {dense(6, false), pointwise(kTanh), dense(0, false)}},
    {"no bias at first", {dense(6, false), pointwise(kRelu), dense()}},
    {"no bias at last", {dense(6), pointwise(kSigmoid), dense(0, false)}},
    {"affine layers alone", {dense(4), dense(7, false), dense()}},
    {"activation after activation",
     {dense(6), pointwise(kTanh), pointwise(kSigmoid), pointwise(Activation::kElu), dense()}},
    {"activation at first", {pointwise(kSigmoid), dense(4), pointwise(kTanh), dense()}},
    {"two activations at first", {pointwise(kTanh), pointwise(kSigmoid), dense()}},
    {"activation at last", {dense(6), pointwise(kTanh), dense(), pointwise(kSigmoid)}},
    {"two activations at last", {dense(), pointwise(Activation::kElu), pointwise(kTanh)}},
    {"gelu at first, twice", {pointwise(kGelu), pointwise(kGelu), dense()}},
    {"gelu between elementwise ones",
     {dense(6), dropout(0.2), pointwise(kGelu), dropout(0.3), pointwise(kTanh), pointwise(kGelu), dense()}},
    {"factors",
     {multiply(3.0), dense(6), multiply(-0.5), pointwise(kTanh), multiply(2.0), dense(), multiply(1.0 / 9)}},
    {"dropout at first", {dropout(0.3), dense(6), pointwise(kTanh), dense()}},
    {"dropout, then activation at first", {dropout(0.3), pointwise(kTanh), dense()}},
    {"activation, then dropout at first", {pointwise(kTanh), dropout(0.3), dense()}},
    {"dropout after an activation", {dense(8), pointwise(kTanh), dropout(0.5), dense()}},
    {"dropout before an activation", {dense(8), dropout(0.5), pointwise(kTanh), dense()}},
    {"dropout between activations", {dense(8), pointwise(kTanh), dropout(0.4), pointwise(kSigmoid), dense()}},
    {"dropout after dropout", {dense(8), pointwise(kTanh), dropout(0.2), dropout(0.3), dense()}},
    {"dropout at last", {dense(8), pointwise(kTanh), dense(), dropout(0.2)}},
    {"dropout everywhere",
     {dropout(0.1), dense(9), pointwise(kTanh), dropout(0.2), dense(8), dropout(0.3), pointwise(kTanh),
      dense()}},
};

// Weights of a trained network's size, biases included.
std::vector<float> arena_of(const Model& model, std::uint64_t seed) {
  return test::random_floats(model.parameters(), seed, 0.8F);
}

// Outputs and gradients of a training pass, of each loss, against the same in double.
void expect_double(const Layers& layers, std::uint64_t seed) {
  const auto ids = spread_ids(kRows);
  const PassContext pass{.threads = 1, .seed = seed, .step = 17, .sample_ids = ids};
  test::for_every<Loss>([&](Loss loss) {
    const Model model(with_layers(layers), kInputs, test::outputs_with(loss, kOutputs));
    const auto arena = arena_of(model, seed + 3);
    const auto batch = test::random_batch(kRows, kInputs, model.outputs(), seed);
    Workspace workspace(model, kRows, Workspace::Use::kForwardAndBackward);
    const auto gradient = test::gradient_of(model, loss, arena, batch, pass, workspace);
    test::expect_close_tensors(model, gradient, test::central_differences(model, loss, arena, batch, pass),
                               1e-5);

    std::vector<double> x, wide(arena.begin(), arena.end());
    for (const test::Sample& sample : batch) x.insert(x.end(), sample.x.begin(), sample.x.end());
    test::fill_input(batch, workspace.input(kRows));
    const auto outputs = model.forward(arena, workspace, kRows, pass);
    const auto expected = model.forward_in_double(wide, x, pass);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(outputs.data[i], expected[i], 1e-5 * (1.0 + std::fabs(expected[i])));
  });
}

TEST(Layers, EveryListHasTheGradientsOfItsDifferenceQuotients) {
  for (const auto& [name, layers] : kCases) {
    SCOPED_TRACE(name);
    expect_double(layers, 5);
  }
}

TEST(Layers, EveryActivationHasThemInEveryPlace) {
  test::for_every<Activation>([](Activation f) {
    expect_double({pointwise(f), dense(6), pointwise(f), pointwise(f), dense(4), dropout(0.3), pointwise(f),
                   dense(), pointwise(f)},
                  6);
  });
}

// Lists that nobody thought of.
TEST(Layers, RandomListsHaveThemToo) {
  for (std::uint64_t number = 0; number < 60; ++number) {
    SCOPED_TRACE(number);
    std::mt19937_64 engine(number);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(engine() % n); };
    const auto elementwise = [&] {
      const std::size_t which = below(11);
      return which < 7   ? pointwise(kernels::kActivations[which])
             : which < 8 ? multiply(-1.5)
                         : dropout(0.1 * static_cast<double>(which - 7));
    };
    Layers layers;
    for (std::size_t l = below(6); l > 0; --l)
      layers.push_back(below(3) == 0 ? dense(2 + below(8), below(2) == 0) : elementwise());
    layers.push_back(dense(0, below(2) == 0));
    for (std::size_t l = below(3); l > 0; --l) layers.push_back(elementwise());
    expect_double(layers, number);
  }
}

TEST(Layers, TheShortFormIsTheListThatItStandsFor) {
  ModelOptions shorter;
  shorter.hidden = {8, 6};
  shorter.activation = kTanh;
  shorter.dropout = 0.25;
  shorter.output_activation = kSigmoid;
  shorter.loss = Loss::kMse;
  const Layers layers = {dense(8),         pointwise(kTanh), dropout(0.25), dense(6),
                         pointwise(kTanh), dropout(0.25),    dense(),       pointwise(kSigmoid)};
  const Model a(shorter, kInputs, kOutputs), b(with_layers(layers), kInputs, kOutputs);
  ASSERT_EQ(a.layers().size(), b.layers().size());
  for (std::size_t l = 0; l < a.layers().size(); ++l)
    EXPECT_EQ(a.layers()[l]->description(), b.layers()[l]->description());
  const auto ids = spread_ids(kRows);
  const PassContext pass{.threads = 1, .seed = 2, .step = 3, .sample_ids = ids};
  const auto arena = arena_of(a, 1);
  const auto batch = test::random_batch(kRows, kInputs, kOutputs, 4);
  const auto gradient = [&](const Model& model) {
    Workspace workspace(model, kRows, Workspace::Use::kForwardAndBackward);
    return test::gradient_of(model, Loss::kMse, arena, batch, pass, workspace);
  };
  EXPECT_EQ(gradient(a), gradient(b));
}

TEST(Layers, TheModelsSlopeAndAlphaReachItsActivations) {
  for (const Activation f : {Activation::kLeakyRelu, Activation::kElu}) {
    ModelOptions options = with_layers({pointwise(f), dense(1, false)});
    options.activation_parameters = {.leaky_slope = 0.25, .elu_alpha = 3.0};
    const Model model(options, 1, 1);
    const float arena[] = {1.0F};
    const double in_double[] = {1.0};
    const double expected = test::activation(f, -0.5, options.activation_parameters);
    Workspace workspace(model, 1, Workspace::Use::kForward);
    workspace.input(1).data[0] = -0.5F;
    EXPECT_NEAR(model.forward(arena, workspace, 1, {}).data[0], expected, 1e-6);
    EXPECT_NEAR(model.forward_in_double(in_double, {-0.5}, {})[0], expected, 1e-15);
  }
}

TEST(Layers, ThreadsDoNotChangeOutputs) {
  const Model model(with_layers(kCases[std::size(kCases) - 1].layers), kInputs, kOutputs);
  constexpr std::size_t kMany = 500;
  const auto ids = spread_ids(kMany);
  const auto arena = arena_of(model, 1);
  const auto batch = test::random_batch(kMany, kInputs, kOutputs, 2);
  const auto outputs = [&](int threads) {
    Workspace workspace(model, kMany, Workspace::Use::kForward);
    test::fill_input(batch, workspace.input(kMany));
    const auto y = model.forward(arena, workspace, kMany, {threads, 1, 2, ids});
    return std::vector<float>(y.data, y.data + kMany * kOutputs);
  };
  for (const int threads : {2, 3}) EXPECT_TRUE(test::same_bits(outputs(threads), outputs(1)));
}

TEST(Layers, ForwardInDoubleFromALayerOnIsTheRestOfTheNetwork) {
  const Model model(with_layers(kCases[std::size(kCases) - 1].layers), kInputs, kOutputs);
  const auto ids = spread_ids(2);
  const PassContext pass{.threads = 1, .seed = 2, .step = 3, .sample_ids = ids};
  const auto narrow = arena_of(model, 1);
  const std::vector<double> arena(narrow.begin(), narrow.end());
  const std::vector<double> input = {0.1, -0.2, 0.3, -0.4, 0.5, 0.6, -0.7, 0.8, -0.9, 1.0};
  const auto whole = model.forward_in_double(arena, input, pass);
  const auto inputs = model.inputs_in_double(arena, input, pass);
  std::vector<double> x = input;  // of layer l
  for (std::size_t l = 0; l < model.layers().size(); ++l) {
    EXPECT_EQ(inputs[l], x);
    EXPECT_EQ(model.forward_in_double(arena, l, std::span(inputs).first(l + 1), pass), whole);
    std::vector<double> y(2 * model.layers()[l]->outputs());
    std::size_t begin = 0, size = 0;
    for (std::size_t t = 0; t < model.tensors().size(); ++t) {
      if (model.layer_of(t) != l) continue;
      if (size == 0) begin = model.tensors()[t].offset;
      size += model.tensors()[t].size;
    }
    model.layers()[l]->forward_in_double(x, std::span(arena).subspan(begin, size), y, pass);
    x = y;
  }
}

TEST(Layers, NamesCountLayersWithParametersOnly) {
  const Model model(with_layers({pointwise(kTanh), dropout(0.1), dense(4, false), pointwise(kTanh), dense(6),
                                 dropout(0.1), dense(0, false), pointwise(kTanh)}),
                    kInputs, kOutputs);
  const std::tuple<const char*, std::vector<std::size_t>, std::size_t> expected[] = {
      {"layers.0.weight", {4, 5}, 2},
      {"layers.1.weight", {6, 4}, 4},
      {"layers.1.bias", {6}, 4},
      {"layers.2.weight", {3, 6}, 6}};
  ASSERT_EQ(model.tensors().size(), std::size(expected));
  std::size_t offset = 0;
  for (std::size_t t = 0; t < std::size(expected); ++t) {
    const auto& [name, shape, layer] = expected[t];
    EXPECT_EQ(model.tensors()[t].name, name);
    EXPECT_EQ(model.tensors()[t].shape, shape);
    EXPECT_EQ(model.tensors()[t].offset, offset);
    EXPECT_EQ(model.layer_of(t), layer) << name;
    offset += model.tensors()[t].size;
  }
  EXPECT_EQ(model.parameters(), offset);
}

// An activation's output stays where its backward pass can read it; gelu's input does.
TEST(Layers, AnOutputTakesItsInputsPlaceUnlessThatIsNeededAgain) {
  const Model model(
      with_layers({dropout(0.1), dense(4), pointwise(kTanh), dropout(0.1), pointwise(kRelu), pointwise(kTanh),
                   dense(), dropout(0.1), dropout(0.2), pointwise(kGelu), dropout(0.1)}),
      kInputs, kOutputs);
  const bool expected[] = {true, false, true, false, true, false, false, true, true, false, true};
  Workspace workspace(model, 2, Workspace::Use::kForward);
  for (std::size_t l = 0; l < std::size(expected); ++l) {
    EXPECT_EQ(model.in_place(l), expected[l]) << l;
    const float* before = l == 0 ? workspace.input(2).data : workspace.output(l - 1, 2).data;
    EXPECT_EQ(workspace.output(l, 2).data == before, expected[l]) << l;
  }
}

void expect_refused(const Layers& layers, std::initializer_list<std::string> parts) {
  test::expect_line_with(
      test::message_of<ConfigError>([&] { Model(with_layers(layers), kInputs, kOutputs); }), parts);
}

TEST(Layers, AListThatMakesNoNetworkIsRefused) {
  expect_refused({dense(6), pointwise(kTanh), dense(4)}, {"model.layers end with 4 outputs", "expected 3"});
  expect_refused({dense(4), dense(), dense(5), pointwise(kTanh)}, {"model.layers end with 5", "expected 3"});
  expect_refused({pointwise(kTanh)}, {"model.layers end with 5 outputs", "expected 3"});
  expect_refused({dense(std::size_t{1} << 31)}, {"model.layers end with 2147483648"});
  expect_refused({dense(std::size_t{1} << 31), dense()}, {"model.layers", "Dense 5 -> 2147483648", "2^32"});
  expect_refused({dense(std::size_t{1} << 20), dense(std::size_t{1} << 12), dense()},
                 {"model.layers", "Dense 1048576 -> 4096", "2^32"});
  test::expect_line_with(test::message_of<ConfigError>([] {
                           Model(with_layers({pointwise(kTanh), dropout(0.5)}), 3, 3);
                         }),
                         {"model.layers has no layer with parameters", "expected a dense one"});
}

TEST(Layers, ALayerSaysWhatItIs) {
  const Model model(with_layers({dropout(0.25), dense(7), pointwise(Activation::kLeakyRelu), dense(0, false),
                                 multiply(1.0 / 9)}),
                    kInputs, kOutputs);
  const std::vector<std::string> expected = {"dropout 0.25", "Dense 5 -> 7", "leaky_relu",
                                             "Dense 7 -> 3, no bias", "multiply by 0.111111"};
  for (std::size_t l = 0; l < expected.size(); ++l) EXPECT_EQ(model.layers()[l]->description(), expected[l]);
}

}  // namespace
}  // namespace lockstep::nn
