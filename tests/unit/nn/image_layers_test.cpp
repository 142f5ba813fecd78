// Networks of images: outputs and gradients against plain loops and difference quotients in double, and the
// order of their weights in files.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "nn/gradients.h"
#include "nn/model.h"

namespace lockstep::nn::image_layers {
namespace {

using Kind = LayerOptions::Kind;
using Layers = std::vector<LayerOptions>;
using test::dense;
using test::pointwise;

constexpr ImageShape kImage{2, 7, 6};
constexpr std::size_t kOutputs = 3;
const std::vector<std::size_t> kMicroBatches = {4, 5, 2};
constexpr std::size_t kSamples = 11;

LayerOptions conv(std::size_t filters, std::size_t size, std::optional<std::size_t> padding = std::nullopt,
                  std::size_t stride = 1, bool bias = true) {
  return {.kind = Kind::kConv,
          .bias = bias,
          .filters = filters,
          .size = size,
          .stride = stride,
          .padding = padding};
}
// Without bias, which batch norm takes away again: its gradient would be 0.
LayerOptions bare(std::size_t filters, std::size_t size) {
  return conv(filters, size, std::nullopt, 1, false);
}
LayerOptions max_pool(std::size_t size, std::size_t stride) {
  return {.kind = Kind::kMaxPool, .size = size, .stride = stride};
}
LayerOptions average_pool(std::size_t size, std::size_t stride) {
  return {.kind = Kind::kAveragePool, .size = size, .stride = stride};
}
const LayerOptions kGlobal{.kind = Kind::kGlobalAveragePool}, kNorm{.kind = Kind::kBatchNorm},
    kFlat{.kind = Kind::kFlatten};
LayerOptions norm(bool scale, bool shift) {
  return {.kind = Kind::kBatchNorm, .batch_norm = {.scale = scale, .shift = shift}};
}
const LayerOptions kTanh = pointwise(kernels::Activation::kTanh);

struct ImageCase {
  const char* name;
  Layers layers;
};
const ImageCase kImageCases[] = {
    {"a convolution", {conv(3, 3), dense()}},
    {"a whitening layer", {{.kind = Kind::kWhiten, .size = 2}, kTanh, dense()}},
    {"no padding", {conv(3, 3, 0), dense()}},
    {"an even size", {conv(2, 2), conv(3, 4), dense()}},
    {"one pixel", {conv(4, 1), dense()}},
    {"more padding than size", {conv(2, 2, 3), dense()}},
    {"strides that leave pixels out", {conv(3, 2, 0, 3), dense()}},
    {"strides with padding", {conv(3, 3, 1, 2), kTanh, conv(2, 3, 2, 2, false), dense()}},
    {"convolutions without bias", {conv(3, 3, 1, 1, false), kTanh, conv(4, 3, 0, 1, false), dense(0, false)}},
    {"the image is the network's width", {conv(3, 3), kTanh, kGlobal}},
    {"pools", {conv(3, 3), kTanh, max_pool(2, 2), conv(4, 2), average_pool(2, 1), dense()}},
    {"windows that overlap", {conv(3, 3), max_pool(3, 2), dense()}},
    {"max pool before an activation", {conv(3, 3), max_pool(2, 2), kTanh, dense()}},
    {"max pool before dropout", {conv(3, 3), max_pool(3, 2), test::dropout(0.3), kTanh, dense()}},
    {"average pool before an activation", {conv(3, 3), average_pool(2, 2), kTanh, dense()}},
    {"pools at first", {average_pool(3, 1), kTanh, max_pool(2, 1), dense()}},
    {"batch norm", {bare(4, 3), kNorm, kTanh, bare(3, 3), kNorm, kTanh, max_pool(2, 2), dense()}},
    {"batch norm at first", {kNorm, bare(3, 3), kNorm, dense()}},
    {"batch norm of rows",
     {dense(6, false), kNorm, kTanh, dense(5, false), norm(true, false), kTanh, dense()}},
    {"batch norm with nothing learned", {bare(4, 3), norm(false, false), kTanh, dense()}},
    {"batch norm with a shift", {bare(4, 3), norm(false, true), kTanh, kFlat, dense()}},
    {"activation after flatten", {conv(4, 3), kFlat, kTanh, kNorm, dense(5), kTanh, dense()}},
    {"dropout of images", {conv(3, 3), test::dropout(0.3), kTanh, kNorm, dense()}},
};

TEST(ImageNetwork, EndsInTheOrderOfFilesAsWithFlatten) {
  const auto descriptions = [](const Layers& layers) {
    const std::size_t outputs = 2 * kImage.height * kImage.width;
    const Model model(test::with_layers(layers), kImage.size(), outputs, kImage);
    std::vector<std::string> each;
    for (const auto& layer : model.layers()) each.push_back(layer->description());
    return each;
  };
  EXPECT_EQ(descriptions({conv(2, 3)}), descriptions({conv(2, 3), kFlat}));
  EXPECT_EQ(descriptions({conv(2, 3)}).size(), 3U);  // images are turned before the convolution, and back
}

TEST(ImageNetwork, KnowsWhereAUserStatedEachLayer) {
  const Model model(test::with_layers({conv(3, 3), kTanh, kFlat, kTanh, dense()}), kImage.size(), kOutputs,
                    kImage);
  std::vector<std::size_t> places;
  for (std::size_t layer = 0; layer < model.layers().size(); ++layer) places.push_back(model.place(layer));
  // Before the convolution and for flatten, images are turned.
  EXPECT_EQ(places, (std::vector<std::size_t>{0, 0, 1, 2, 3, 4}));
}

struct Training {
  explicit Training(const Layers& layers, std::uint64_t seed = 5)
      : model(test::with_layers(layers), kImage.size(), kOutputs, kImage),
        arena(test::random_floats(model.parameters(), seed, 0.8F)),
        batch(test::random_batch(kSamples, kImage.size(), kOutputs, seed)) {
    for (std::size_t i = 0; i < kSamples; ++i) ids.push_back(static_cast<std::uint32_t>(1000 - 7 * i));
    pass = {.threads = 1, .seed = seed, .step = 17, .sample_ids = ids, .micro_batches = kMicroBatches};
  }
  Model model;
  std::vector<float> arena;
  std::vector<test::Sample> batch;
  std::vector<std::uint32_t> ids;
  PassContext pass;
};

// Without the running means, which have no gradient.
std::vector<double> of_parameters(const Model& model, std::vector<double> gradient) {
  for (const Tensor& tensor : model.tensors())
    if (!tensor.has_gradient()) std::ranges::fill(tensor.slice(std::span(gradient)), 0.0);
  return gradient;
}

TEST(ImageLayers, HaveTheGradientsOfTheirDifferenceQuotients) {
  constexpr auto kLoss = kernels::Loss::kCrossEntropy;
  for (const auto& [name, layers] : kImageCases) {
    SCOPED_TRACE(name);
    Training training(layers);
    const Model& model = training.model;
    Workspace workspace(model, kSamples, Workspace::Use::kForwardAndBackward);
    for (const int threads : {1, 3}) {
      training.pass.threads = threads;
      const auto gradient =
          test::gradient_of(model, kLoss, training.arena, training.batch, training.pass, workspace);
      test::expect_close_tensors(
          model, of_parameters(model, gradient),
          of_parameters(
              model, test::central_differences(model, kLoss, training.arena, training.batch, training.pass)),
          3e-5);
    }
  }
}

TEST(ImageLayers, HaveTheOutputsOfPlainLoopsInTrainingAndInEvaluation) {
  for (const auto& [name, layers] : kImageCases) {
    SCOPED_TRACE(name);
    Training training(layers);
    const Model& model = training.model;
    for (const Tensor& tensor : model.tensors())  // a variance is not negative
      if (tensor.name.ends_with("running_var"))
        for (float& x : tensor.slice(std::span(training.arena))) x = std::fabs(x);
    std::vector<double> x, wide(training.arena.begin(), training.arena.end());
    for (const test::Sample& sample : training.batch) x.insert(x.end(), sample.x.begin(), sample.x.end());
    for (const PassContext& pass : {training.pass, PassContext{}}) {
      Workspace workspace(model, kSamples, Workspace::Use::kForward);
      test::fill_input(training.batch, workspace.input(kSamples));
      const auto outputs = model.forward(training.arena, workspace, kSamples, pass);
      const auto expected = model.forward_in_double(wide, x, pass);
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(outputs.data[i], expected[i], 2e-5 * (1.0 + std::fabs(expected[i])));
    }
  }
}

TEST(ImageLayers, HaveTheGradientsOfPlainLoops) {
  for (const auto& [name, layers] : kImageCases) {
    SCOPED_TRACE(name);
    Training training(layers);
    const Model& model = training.model;
    Workspace workspace(model, kSamples, Workspace::Use::kForwardAndBackward);
    const auto expected = test::gradient_of(model, kernels::Loss::kCrossEntropy, training.arena,
                                            training.batch, training.pass, workspace);
    const std::vector<double> wide(training.arena.begin(), training.arena.end());
    std::vector<double> found(model.parameters());
    std::size_t first = 0;
    for (const std::size_t rows : training.pass.micro_batches) {
      PassContext pass = training.pass;
      const std::size_t sizes[] = {rows};
      pass.micro_batches = sizes;
      if (!pass.sample_ids.empty()) pass.sample_ids = pass.sample_ids.subspan(first, rows);
      std::vector<std::vector<double>> outputs(1);
      for (std::size_t i = first; i < first + rows; ++i)
        outputs[0].insert(outputs[0].end(), training.batch[i].x.begin(), training.batch[i].x.end());
      for (std::size_t l = 0; l < model.layers().size(); ++l)
        outputs.push_back(model.layer_in_double(wide, l, outputs, pass));
      std::vector<std::vector<double>> gradients(outputs.size());
      gradients.back().resize(outputs.back().size());
      for (std::size_t i = 0; i < rows; ++i)
        kernels::sample_loss(kernels::Loss::kCrossEntropy,
                             std::span(outputs.back()).subspan(i * kOutputs, kOutputs),
                             static_cast<double>(training.batch[first + i].label), 0.0,
                             std::span(gradients.back()).subspan(i * kOutputs, kOutputs));
      for (double& slope : gradients.back()) slope /= kSamples;
      for (std::size_t k = model.layers().size(); k-- > 0;)
        gradients[k] = model.gradient_in_double(wide, k, outputs, gradients, found, pass);
      first += rows;
    }
    test::expect_close_tensors(model, of_parameters(model, expected), of_parameters(model, found), 3e-5);
  }
}

TEST(ImageLayers, ComputeNothingThatPoolingLeavesOut) {
  const auto with = [](const Layers& between) {
    Layers layers = {conv(3, 3)};
    layers.insert(layers.end(), between.begin(), between.end());
    layers.insert(layers.end(), {max_pool(2, 2), conv(4, 3), average_pool(2, 2), dense()});
    return Training(layers);
  };
  const auto outputs_of = [](const Training& training) {
    Workspace workspace(training.model, kSamples, Workspace::Use::kForward);
    test::fill_input(training.batch, workspace.input(kSamples));
    const auto outputs = training.model.forward(training.arena, workspace, kSamples, training.pass);
    return std::vector<float>(outputs.data, outputs.data + kSamples * kOutputs);
  };
  // A pooling layer of single pixels reads all of its input.
  const Training parts = with({kTanh}), whole = with({kTanh, average_pool(1, 1)});
  const auto described = [](const Training& training, std::size_t layer) {
    return training.model.layers()[layer]->description();
  };
  EXPECT_EQ(described(whole, 1), "Conv 2x7x6 -> 3x7x6, 3x3");
  EXPECT_EQ(described(parts, 1), "Conv 2x7x6 -> 3x6x6, 3x3");
  EXPECT_EQ(described(parts, 4), "Conv 3x3x3 -> 4x2x2, 3x3");
  EXPECT_TRUE(test::same_bits(outputs_of(parts), outputs_of(whole)));
  EXPECT_EQ(described(with({kNorm}), 1), "Conv 2x7x6 -> 3x7x6, 3x3");  // whose statistics are of all pixels
}

TEST(ImageLayers, HandOverTheStatisticsOfEachMicroBatch) {
  const Training training({kNorm, dense()});  // of the input's two channels, over the pixels
  Workspace workspace(training.model, kSamples, Workspace::Use::kForwardAndBackward);
  const auto sums = test::gradient_of(training.model, kernels::Loss::kCrossEntropy, training.arena,
                                      training.batch, training.pass, workspace);
  const auto& tensors = training.model.tensors();
  ASSERT_EQ(tensors[2].name, "layers.0.running_mean");
  ASSERT_EQ(tensors[3].name, "layers.0.running_var");
  ASSERT_EQ(tensors[2].size, kImage.channels);
  for (std::size_t c = 0; c < kImage.channels; ++c) {
    double means = 0.0, variances = 0.0;
    std::size_t first = 0;
    for (const std::size_t rows : kMicroBatches) {
      double sum = 0.0, squares = 0.0;
      const auto n = static_cast<double>(rows * kImage.pixels());
      const auto for_pixels = [&](auto&& visit) {
        for (std::size_t i = first; i < first + rows; ++i)
          for (std::size_t pixel = 0; pixel < kImage.pixels(); ++pixel)
            visit(training.batch[i].x[c * kImage.pixels() + pixel]);
      };
      for_pixels([&](double x) { sum += x; });
      for_pixels([&](double x) { squares += std::pow(x - sum / n, 2); });
      means += sum / n;
      variances += squares / (n - 1.0);
      first += rows;
    }
    EXPECT_NEAR(sums[tensors[2].offset + c], means, 1e-5);
    EXPECT_NEAR(sums[tensors[3].offset + c], variances, 1e-5);
  }
}

TEST(ImageLayers, AreDescribedAndNamedAsInPyTorch) {
  const Model model(test::with_layers({conv(4, 3), kNorm, max_pool(2, 2), conv(5, 3, 0, 1, false), dense()}),
                    kImage.size(), kOutputs, kImage);
  std::vector<std::pair<std::string, std::vector<std::size_t>>> found;
  for (const Tensor& tensor : model.tensors()) found.emplace_back(tensor.name, tensor.shape);
  const std::vector<std::pair<std::string, std::vector<std::size_t>>> expected = {
      {"layers.0.weight", {4, 2, 3, 3}},
      {"layers.0.bias", {4}},
      {"layers.1.weight", {4}},
      {"layers.1.bias", {4}},
      {"layers.1.running_mean", {4}},
      {"layers.1.running_var", {4}},
      {"layers.2.weight", {5, 4, 3, 3}},
      {"layers.3.weight", {3, 5}},
      {"layers.3.bias", {3}}};
  EXPECT_EQ(found, expected);
  EXPECT_EQ(model.layers()[1]->description(), "Conv 2x7x6 -> 4x7x6, 3x3");
}

TEST(ImageLayers, AreRefusedWhereTheyDoNotFit) {
  const auto refused = [](const Layers& layers, const std::string& says, bool image = true) {
    try {
      const Model model(test::with_layers(layers), kImage.size(), kOutputs,
                        image ? std::optional(kImage) : std::nullopt);
      ADD_FAILURE() << "not refused: " << says;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
  };
  refused({conv(3, 8, 0), dense()}, "of size 8");
  refused({max_pool(7, 1), dense()}, "of size 7");
  refused({max_pool(3, 3), max_pool(3, 3), dense()}, "of size 3");
  refused({dense(8), conv(3, 3), dense()}, "no image");
  refused({kFlat, conv(3, 3), dense()}, "no image");
  refused({conv(3, 3), dense()}, "data.image", false);
}

TEST(FileOrder, OfAConvolutionIsPyTorchs) {
  const Tensor tensor{.name = "weight", .shape = {2, 3, 1, 2}, .size = 12, .init = {}};
  // (filters, rows, columns, channels) in memory: 100 f + 10 column + channel.
  const std::vector<float> here = {0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112};
  const std::vector<float> in_file = {0, 10, 1, 11, 2, 12, 100, 110, 101, 111, 102, 112};
  EXPECT_EQ(to_file_order(tensor, here), in_file);
  std::vector<float> back(12);
  from_file_order(tensor, in_file, back);
  EXPECT_EQ(back, here);
}

}  // namespace
}  // namespace lockstep::nn::image_layers
