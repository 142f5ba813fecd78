// Backward passes of networks that learn in parts: what is not computed, and that the rest is the same.
#include <gtest/gtest.h>

#include <set>

#include "nn/gradients.h"
#include "nn/model.h"

namespace lockstep::nn::frozen {
namespace {

using test::dense;
using test::named;
using test::pointwise;
using Kind = LayerOptions::Kind;
using Layers = std::vector<LayerOptions>;

constexpr ImageShape kImage{2, 5, 4};
constexpr std::size_t kOutputs = 3, kRows = 6;
const std::vector<std::size_t> kMicroBatches = {4, 2};
const LayerOptions kTanh = pointwise(kernels::Activation::kTanh);

LayerOptions conv(std::size_t filters) { return {.kind = Kind::kConv, .filters = filters, .size = 3}; }

// Notes which tensors came with rows, and passes everything on.
class NotingSink final : public GradientSink {
 public:
  explicit NotingSink(const Model& model) : sums_(model), next_(model.tensors().size()) {}
  void add(const GradientTerms& terms) override {
    EXPECT_EQ(terms.tensor, --next_);  // from the arena's end to its beginning
    if (terms.dy.rows > 0) computed_.insert(terms.tensor);
    sums_.add(terms);
  }
  const std::vector<double>& gradient() const { return sums_.gradient(); }
  const std::set<std::size_t>& computed() const { return computed_; }
  bool complete() const { return next_ == 0; }

 private:
  test::SummingSink sums_;
  std::size_t next_;
  std::set<std::size_t> computed_;
};

struct Result {
  std::vector<double> gradient;
  std::set<std::size_t> computed;
};

Result run(const Layers& layers) {
  const Model model(test::with_layers(layers), kImage.size(), kOutputs, kImage);
  const auto arena = test::random_floats(model.parameters(), 8, 0.8F);
  const auto batch = test::random_batch(kRows, kImage.size(), kOutputs, 4);
  const PassContext pass{.micro_batches = kMicroBatches};
  Workspace workspace(model, kRows, Workspace::Use::kForwardAndBackward);
  const auto targets = test::fill_input(batch, workspace.input(kRows));
  const auto outputs = model.forward(arena, workspace, kRows, pass);
  kernels::evaluate_loss(kernels::Loss::kHalfMse, outputs, targets, 1.0 / kRows,
                         workspace.output_gradient(kRows), 1);
  NotingSink sink(model);
  model.backward(arena, workspace, kRows, sink, pass);
  EXPECT_TRUE(sink.complete());
  return {sink.gradient(), sink.computed()};
}

// Freezes these layers of the list; expects terms of the tensors `computed`, and what is left to learn to
// have the gradient that it had.
void expect_part(Layers layers, std::initializer_list<std::size_t> frozen,
                 const std::set<std::size_t>& computed) {
  const Result whole = run(layers);
  for (const std::size_t l : frozen) layers[l].frozen = true;
  const Result part = run(layers);
  EXPECT_EQ(part.computed, computed);
  const Model model(test::with_layers(layers), kImage.size(), kOutputs, kImage);
  for (const Tensor& tensor : model.tensors())
    for (std::size_t i = tensor.offset; tensor.learns() && i < tensor.offset + tensor.size; ++i)
      EXPECT_EQ(part.gradient[i], whole.gradient[i]) << tensor.name;
}

// Tensors 0 to 5: weight and bias of two convolutions and a dense layer.
const Layers kPlain = {conv(4), kTanh, conv(4), kTanh, dense()};

TEST(Frozen, NothingIsComputedBelowTheFirstLayerThatLearns) {
  expect_part(kPlain, {}, {0, 1, 2, 3, 4, 5});
  expect_part(kPlain, {0}, {2, 3, 4, 5});
  expect_part(kPlain, {0, 2}, {4, 5});
  expect_part(kPlain, {0, 2, 4}, {});
}

// Their terms are handed over; a reducer leaves them alone.
TEST(Frozen, LayersAboveOneThatLearnsPassGradientsOn) {
  expect_part(kPlain, {2}, {0, 1, 2, 3, 4, 5});
  expect_part(kPlain, {4}, {0, 1, 2, 3, 4, 5});
}

TEST(Frozen, SkipsFromThereHaveNoGradient) {
  const Layers layers = {named("a", conv(4)), kTanh, conv(4), test::add("a"), kTanh, dense()};
  expect_part(layers, {}, {0, 1, 2, 3, 4, 5});
  expect_part(layers, {0}, {2, 3, 4, 5});
  expect_part(layers, {2}, {0, 1, 2, 3, 4, 5});
  Layers frozen = layers;
  frozen[0].frozen = true;
  const Model model(test::with_layers(frozen), kImage.size(), kOutputs, kImage);
  EXPECT_TRUE(model.skips().buffer_widths().empty());
}

TEST(Frozen, RunningStatisticsBelowGoOn) {
  const LayerOptions norm{.kind = Kind::kBatchNorm, .frozen = true};
  expect_part({norm, conv(4), kTanh, dense()}, {0, 1}, {0, 1, 2, 3, 4, 5, 6, 7});
}

TEST(Frozen, OfAWhiteningLayerTheBiasLearns) {
  const LayerOptions whiten{.kind = Kind::kWhiten, .size = 2};
  LayerOptions without = whiten;
  without.bias = false;
  expect_part({whiten, kTanh, dense()}, {}, {0, 1, 2, 3});
  expect_part({without, kTanh, dense()}, {}, {1, 2});
  expect_part({whiten, kTanh, dense()}, {0}, {2, 3});
}

}  // namespace
}  // namespace lockstep::nn::frozen
