// A model's structure, its arena, and its forward and backward passes against the reference network.
#include "nn/model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "layer_lists.h"
#include "nn/dense.h"
#include "nn/gradients.h"
#include "reference_model.h"
#include "reference_network.h"
#include "support.h"

namespace lockstep::nn {
namespace {

using kernels::Activation;
using kernels::Loss;
using Shape = std::vector<std::size_t>;

ModelOptions options(const Shape& hidden, Activation activation = Activation::kSigmoid) {
  ModelOptions model;
  model.hidden = hidden;
  model.activation = activation;
  return model;
}

TEST(Model, TensorsAreNamedAndShapedAsPyTorchsLinearLayers) {
  const Model model(options({100, 30}), 3072, 10);
  const std::vector<std::pair<std::string, Shape>> expected = {
      {"layers.0.weight", {100, 3072}}, {"layers.0.bias", {100}},      {"layers.1.weight", {30, 100}},
      {"layers.1.bias", {30}},          {"layers.2.weight", {10, 30}}, {"layers.2.bias", {10}}};
  ASSERT_EQ(model.tensors().size(), expected.size());
  for (std::size_t t = 0; t < expected.size(); ++t) {
    EXPECT_EQ(model.tensors()[t].name, expected[t].first);
    EXPECT_EQ(model.tensors()[t].shape, expected[t].second);
  }
  EXPECT_EQ(model.inputs(), 3072U);
  EXPECT_EQ(model.outputs(), 10U);
}

TEST(Model, TensorsStateWhatTheyAre) {
  const Model model(options({100, 30}), 3072, 10);
  const std::size_t widths[] = {3072, 100, 30, 10};
  for (std::size_t t = 0; t < model.tensors().size(); ++t) {
    const Tensor& tensor = model.tensors()[t];
    const bool weight = t % 2 == 0;
    const std::size_t in = widths[t / 2], out = widths[t / 2 + 1];
    EXPECT_EQ(tensor.rows(), out);
    EXPECT_EQ(tensor.cols(), weight ? in : 1);
    EXPECT_EQ(tensor.fan_in, in);
    EXPECT_EQ(tensor.fan_out, out);
    EXPECT_EQ(tensor.learning_rate_factor, 1.0);
    EXPECT_EQ(tensor.weight_decay_factor, weight ? 1.0 : 0.0);
  }
}

// A layer of four dimensions, as a convolution would be, is one matrix to whoever sums its gradient.
TEST(Tensor, OfMoreDimensionsIsAMatrixOfItsFirst) {
  const Tensor tensor{.name = "weight", .shape = {8, 3, 5, 2}, .size = 240, .init = {}};
  EXPECT_EQ(tensor.rows(), 8U);
  EXPECT_EQ(tensor.cols(), 30U);
}

TEST(Model, FactorsOfALayerAreItsTensors) {
  auto first = test::dense(4), second = test::dense(3), last = test::dense();
  first.learning_rate_factor = 0.5;
  first.weight_decay_factor = 3.0;
  second.frozen = true;
  const Model model(test::with_layers({first, second, last}), 6, 2);
  const std::pair<double, double> expected[] = {{0.5, 3.0}, {0.5, 0.0}, {0.0, 0.0},
                                                {0.0, 0.0}, {1.0, 1.0}, {1.0, 0.0}};
  ASSERT_EQ(model.tensors().size(), std::size(expected));
  for (std::size_t t = 0; t < std::size(expected); ++t) {
    EXPECT_EQ(model.tensors()[t].learning_rate_factor, expected[t].first) << t;
    EXPECT_EQ(model.tensors()[t].weight_decay_factor, expected[t].second) << t;
  }
}

TEST(Model, BatchNormDecaysOnlyWhereItsLayerSaysSo) {
  LayerOptions usual{.kind = LayerOptions::Kind::kBatchNorm}, decaying = usual;
  decaying.weight_decay_factor = 0.5;
  decaying.learning_rate_factor = 64.0;
  const Model model(test::with_layers({usual, decaying, test::dense()}), 6, 2);
  const char* const names[] = {"weight", "bias"};
  for (std::size_t t = 0; t < model.tensors().size(); ++t) {
    const Tensor& tensor = model.tensors()[t];
    if (!tensor.has_gradient()) continue;
    const double expected = t < 4 ? 0.0 : t < 8 ? 0.5 : tensor.name == "layers.2.weight" ? 1.0 : 0.0;
    EXPECT_EQ(tensor.weight_decay_factor, expected) << tensor.name;
    EXPECT_EQ(tensor.learning_rate_factor, t >= 4 && t < 8 ? 64.0 : 1.0) << tensor.name;
    EXPECT_TRUE(tensor.name.ends_with(names[t % 2])) << tensor.name;
  }
}

TEST(Model, TensorsFillTheArenaWithoutGapsOrOverlap) {
  const Model model(options({7, 1, 21}), 5, 3);
  std::size_t next = 0;
  for (const Tensor& tensor : model.tensors()) {
    std::size_t size = 1;
    for (const std::size_t n : tensor.shape) size *= n;
    EXPECT_EQ(tensor.offset, next);
    EXPECT_EQ(tensor.size, size);
    next += size;
  }
  EXPECT_EQ(model.parameters(), next);
  std::vector<float> arena = test::random_floats(next, 1);
  for (const Tensor& tensor : model.tensors()) {
    EXPECT_EQ(tensor.slice(std::span(arena)).data(), arena.data() + tensor.offset);
    EXPECT_EQ(tensor.slice(std::span(arena)).size(), tensor.size);
  }
}

TEST(Model, WithoutHiddenLayersIsOneAffineLayer) {
  const Model model(options({}), 6, 4);
  ASSERT_EQ(model.layers().size(), 1U);
  ASSERT_EQ(model.tensors().size(), 2U);
  EXPECT_EQ(model.parameters(), 6U * 4 + 4);
}

TEST(Model, RefusesAWidthOfZero) {
  test::expect_line_with(test::message_of<ConfigError>([] {
                           Model model(options({5, 0}), 6, 4);
                         }),
                         {"model.hidden"});
  EXPECT_THROW(Dense(0, 3, {}, Initializer{}), ShapeError);
  EXPECT_THROW(Dense(3, 0, {}, std::nullopt), ShapeError);
}

TEST(Workspace, RefusesMoreRowsThanItHasRoomFor) {
  const Model model(options({5}), 6, 4);
  Workspace workspace(model, 10, Workspace::Use::kForwardAndBackward);
  EXPECT_NO_THROW(workspace.input(10));
  EXPECT_THROW(workspace.input(11), ShapeError);
  EXPECT_THROW(workspace.output(2, 11), ShapeError);
  EXPECT_THROW(workspace.output_gradient(11), ShapeError);
}

class ModelPass : public testing::Test {
 protected:
  static constexpr std::size_t kInputs = 7, kOutputs = 5;
  static constexpr kernels::ActivationParameters kParameters = {.leaky_slope = 0.2, .elu_alpha = 1.3};

  // Forward and backward of `rows` rows at once, and forward in double, against the reference network.
  static void expect_reference(const Shape& hidden, Activation activation, Loss loss, std::size_t rows) {
    ModelOptions opts = options(hidden, activation);
    opts.activation_parameters = kParameters;
    const Model model(opts, kInputs, test::outputs_with(loss, kOutputs));
    const auto arena = test::random_floats(model.parameters(), rows, 0.8F);
    const auto batch = test::random_batch(rows, kInputs, model.outputs(), rows + 1);
    auto network = test::reference_of(model, activation, loss, arena);
    network.activation_parameters = kParameters;

    Workspace workspace(model, rows, Workspace::Use::kForwardAndBackward);
    test::fill_input(batch, workspace.input(rows));
    const auto outputs = model.forward(arena, workspace, rows, {});
    ASSERT_EQ(outputs.rows, rows);
    ASSERT_EQ(outputs.cols, model.outputs());
    for (std::size_t i = 0; i < rows; ++i) {
      const auto expected = network.outputs(batch[i]);
      const auto in_double = model.forward_in_double(network.parameters, batch[i].x, {});
      for (std::size_t k = 0; k < model.outputs(); ++k) {
        EXPECT_NEAR(outputs.data[i * outputs.row_stride + k], expected[k],
                    1e-5 * (1.0 + std::fabs(expected[k])));
        EXPECT_NEAR(in_double[k], expected[k], 1e-13 * (1.0 + std::fabs(expected[k])));
      }
    }
    const auto gradient = test::gradient_of(model, loss, arena, batch, {}, workspace);
    test::expect_close_tensors(model, gradient, network.gradient(batch, /*with_l2=*/false), 1e-5);
  }
};

TEST_F(ModelPass, GradientsAreTheReferencesForEveryActivationAndLoss) {
  test::for_every<Activation>([](Activation activation) {
    test::for_every<Loss>([&](Loss loss) {
      for (const Shape& hidden : {Shape{}, Shape{6}, Shape{9, 4}, Shape{3, 8, 6}})
        expect_reference(hidden, activation, loss, 21);
    });
  });
}

TEST_F(ModelPass, GradientsAreTheReferencesAtEverySize) {
  for (const std::size_t size : {1, 7, 21, 63, 64, 65}) {
    expect_reference({6}, Activation::kSigmoid, Loss::kCrossEntropy, size);
    expect_reference({size, 4}, Activation::kRelu, Loss::kMse, 9);
  }
}

// More rows than a product takes at once: a gradient that shared memory with the one it comes from would be
// overwritten before it is read.
TEST_F(ModelPass, GradientsAreTheReferencesForManyRows) {
  expect_reference({40, 20}, Activation::kSigmoid, Loss::kMse, 1100);
  expect_reference({20, 40, 9}, Activation::kIdentity, Loss::kCrossEntropy, 1100);
}

// Fewer rows than there is room for, after a pass of more: what the larger pass left behind is not used.
TEST_F(ModelPass, ASmallerPassInTheSameWorkspaceIsAsIfAlone) {
  const Model model(options({6, 8}), kInputs, kOutputs);
  const auto arena = test::random_floats(model.parameters(), 1);
  const auto many = test::random_batch(30, kInputs, kOutputs, 2),
             few = test::random_batch(4, kInputs, kOutputs, 3);
  const auto gradient_of = [&](Workspace& workspace, const std::vector<test::Sample>& batch) {
    return test::gradient_of(model, Loss::kMse, arena, batch, {}, workspace);
  };
  Workspace shared(model, 30, Workspace::Use::kForwardAndBackward),
      own(model, 4, Workspace::Use::kForwardAndBackward);
  gradient_of(shared, many);
  EXPECT_EQ(gradient_of(shared, few), gradient_of(own, few));
}

}  // namespace
}  // namespace lockstep::nn
