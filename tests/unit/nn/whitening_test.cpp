// Whitening filters: what they make of the patches that they come from.
#include "nn/whitening.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/gradients.h"
#include "nn/model.h"
#include "support.h"

namespace lockstep::nn {
namespace {

constexpr ImageShape kShape{3, 6, 5};
constexpr std::size_t kImages = 40, kSize = 2, kPatch = 12;

// Neighbours are alike, and channels too: patches are correlated.
std::vector<float> smooth_images() {
  std::vector<float> x = test::random_floats(kImages * kShape.size(), 3);
  for (std::size_t i = 1; i < x.size(); ++i) x[i] = 0.7F * x[i - 1] + 0.5F * x[i] + 0.1F;
  return x;
}

std::vector<float> filters_of(const std::vector<float>& images, double epsilon) {
  return whitening_filters(kShape, kSize, epsilon, kImages, [&](std::size_t i) {
    return std::span(images).subspan(i * kShape.size(), kShape.size());
  });
}

TEST(Whitening, OutputsAreUncorrelatedAndOfOneSize) {
  const auto images = smooth_images();
  const auto filters = filters_of(images, 1e-9);
  ASSERT_EQ(filters.size(), 2 * kPatch * kPatch);
  std::vector<double> sums(kPatch * kPatch);
  double patches = 0.0;
  for (std::size_t image = 0; image < kImages; ++image)
    for (std::size_t row = 0; row + kSize <= kShape.height; ++row)
      for (std::size_t col = 0; col + kSize <= kShape.width; ++col, ++patches) {
        std::vector<double> outputs(kPatch);
        for (std::size_t k = 0; k < kPatch; ++k)
          for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t ky = 0; ky < kSize; ++ky)
              for (std::size_t kx = 0; kx < kSize; ++kx)
                outputs[k] +=
                    double{filters[((k * 3 + c) * kSize + ky) * kSize + kx]} *
                    images[image * kShape.size() + (c * kShape.height + row + ky) * kShape.width + col + kx];
        for (std::size_t i = 0; i < kPatch; ++i)
          for (std::size_t j = 0; j < kPatch; ++j) sums[i * kPatch + j] += outputs[i] * outputs[j];
      }
  for (std::size_t i = 0; i < kPatch; ++i)
    for (std::size_t j = 0; j < kPatch; ++j)
      EXPECT_NEAR(sums[i * kPatch + j] / patches, i == j ? 1.0 : 0.0, 1e-5) << i << " " << j;
}

TEST(Whitening, TheSecondHalfIsTheFirstNegatedAndEpsilonBoundsThem) {
  const auto filters = filters_of(smooth_images(), 0.25);
  for (std::size_t k = 0; k < kPatch; ++k) {
    double length = 0.0;
    for (std::size_t i = 0; i < kPatch; ++i) {
      EXPECT_EQ(filters[(kPatch + k) * kPatch + i], -filters[k * kPatch + i]);
      length += std::pow(filters[k * kPatch + i], 2);
    }
    EXPECT_LT(length, 1.0 / 0.25);
  }
}

TEST(Whitening, OfBlackImagesIsFinite) {
  for (const float x : filters_of(std::vector<float>(kImages * kShape.size()), 5e-4))
    EXPECT_TRUE(std::isfinite(x));
}

TEST(Whitening, RefusesPixelsThatAreNotFinite) {
  auto images = smooth_images();
  images[77] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(filters_of(images, 5e-4), DataError);
}

TEST(Whitening, ALayersFiltersStayAndItsBiasLearns) {
  const LayerOptions whiten{.kind = LayerOptions::Kind::kWhiten, .size = kSize};
  const Model model(test::with_layers({whiten, {.kind = LayerOptions::Kind::kFlatten}, test::dense()}),
                    kShape.size(), 3, kShape);
  const auto& tensors = model.tensors();
  EXPECT_EQ(model.layers()[1]->description(), "Whiten 3x6x5 -> 24x5x4, 2x2");
  EXPECT_EQ(tensors[0].shape, (std::vector<std::size_t>{24, 3, 2, 2}));
  EXPECT_EQ(tensors[0].learning_rate_factor, 0.0);
  EXPECT_EQ(tensors[0].weight_decay_factor, 0.0);
  EXPECT_EQ(tensors[1].shape, std::vector<std::size_t>{24});
  EXPECT_EQ(tensors[1].learning_rate_factor, 1.0);
  EXPECT_EQ(tensors[1].weight_decay_factor, 0.0);
}

TEST(Whitening, ALayerThatDoesNotFitIsRefused) {
  using Kind = LayerOptions::Kind;
  const auto refused = [](const std::vector<LayerOptions>& layers, std::optional<ImageShape> image,
                          std::initializer_list<std::string> parts) {
    test::expect_line_with(test::message_of<ConfigError>([&] {
                             Model(test::with_layers(layers), image ? image->size() : 90, 3, image);
                           }),
                           parts);
  };
  const LayerOptions whiten{.kind = Kind::kWhiten, .size = 2};
  refused({{.kind = Kind::kFlatten}, whiten, {}}, kShape,
          {"model.layers[1] is a whiten layer, expected it as the first"});
  refused({whiten, whiten, {}}, kShape, {"model.layers[1] is a whiten layer, expected it as the first"});
  refused({whiten, {}}, std::nullopt, {"where there is no image", "data.image"});
  refused({{.kind = Kind::kWhiten, .size = 6}, {}}, kShape,
          {"a convolution of size 6 meets images of 5 pixels across"});
  refused({{.kind = Kind::kWhiten, .size = 19}, {}}, ImageShape{3, 32, 32},
          {"patches of 1083 numbers, expected at most 1024"});
}

}  // namespace
}  // namespace lockstep::nn
