// Weights as images: every byte of the picture of a small network.
#include <gtest/gtest.h>

#include "base/error.h"
#include "run/tables.h"
#include "support.h"

namespace lockstep::run {
namespace {

data::DatasetInfo images(std::size_t channels, std::size_t height, std::size_t width) {
  data::DatasetInfo info;
  info.channels = channels;
  info.channel_size = height * width;
  info.image = data::ImageSize{channels, height, width};
  info.classes = 2;
  return info;
}

nn::Model model_of(const data::DatasetInfo& info, std::vector<std::size_t> hidden) {
  nn::ModelOptions options;
  options.hidden = std::move(hidden);
  return {options, info.features(), 2};
}

// The arena whose first weights are these, and all else something that must not be looked at.
std::vector<float> arena_of(const nn::Model& model, std::vector<float> weights) {
  weights.resize(model.parameters(), 1e9F);
  return weights;
}

// A picture of white, to be painted on.
struct Picture {
  std::size_t width, height;
  std::string bytes = std::string(3 * width * height, '\xff');
  void paint(std::size_t x, std::size_t y, int red, int green, int blue) {
    const int colours[] = {red, green, blue};
    for (std::size_t c = 0; c < 3; ++c) bytes.at(3 * (y * width + x) + c) = static_cast<char>(colours[c]);
  }
  void paint(std::size_t x, std::size_t y, int grey) { paint(x, y, grey, grey, grey); }
  std::string file() const {
    return "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" + bytes;
  }
};

// Three units of 2 x 2 weights: two tiles above, one below, white between them and in the fourth's place.
TEST(WeightImages, AreTilesOfGreyByMagnitude) {
  const auto info = images(1, 2, 2);
  const nn::Model model = model_of(info, {3});
  const auto arena = arena_of(model, {1.0F, -1.0F, 0.0F, 0.5F,   // unit 0
                                      -0.2F, 0.1F, 0.0F, -0.1F,  // unit 1: its largest is -0.2
                                      0.0F, 0.0F, 0.0F, 3.0F});  // unit 2
  Picture expected{5, 5};
  expected.paint(0, 0, 255);
  expected.paint(1, 0, 0);
  expected.paint(0, 1, 128);
  expected.paint(1, 1, 191);
  expected.paint(3, 0, 0);
  expected.paint(4, 0, 191);
  expected.paint(3, 1, 128);
  expected.paint(4, 1, 64);
  for (const auto& [x, y] : {std::pair{0, 3}, {1, 3}, {0, 4}})
    expected.paint(static_cast<std::size_t>(x), static_cast<std::size_t>(y), 128);
  expected.paint(1, 4, 255);
  EXPECT_EQ(weight_images(info, model, arena), expected.file());
}

// Two units of a pixel of three channels each; the first layer is the last.
TEST(WeightImages, AreColouredWhereTheInputsAre) {
  const auto info = images(3, 1, 1);
  const nn::Model model = model_of(info, {});
  Picture expected{3, 1};
  expected.paint(0, 0, 255, 0, 128);
  expected.paint(2, 0, 64, 128, 255);
  EXPECT_EQ(weight_images(info, model, arena_of(model, {2, -2, 0, -0.5, 0, 1})), expected.file());
}

// Channel by channel, then row by row.
TEST(WeightImages, TakeAChannelsPixelsTogether) {
  const auto info = images(3, 2, 2);
  const nn::Model model = model_of(info, {1});
  std::vector<float> weights(12);
  weights[1] = 1.0F;       // red, top right
  weights[4 + 2] = -1.0F;  // green, bottom left
  weights[8 + 3] = 1.0F;   // blue, bottom right
  Picture expected{2, 2};
  expected.paint(0, 0, 128);
  expected.paint(1, 0, 255, 128, 128);
  expected.paint(0, 1, 128, 0, 128);
  expected.paint(1, 1, 128, 128, 255);
  EXPECT_EQ(weight_images(info, model, arena_of(model, weights)), expected.file());
}

TEST(WeightImages, AUnitWithoutWeightsIsGrey) {
  const auto info = images(1, 1, 1);
  const nn::Model model = model_of(info, {1});
  Picture expected{1, 1};
  expected.paint(0, 0, 128);
  EXPECT_EQ(weight_images(info, model, arena_of(model, {0.0F})), expected.file());
}

TEST(WeightImages, FillASquareOfTiles) {
  const auto info = images(1, 3, 3);
  for (const auto& [units, columns, rows] :
       {std::array<std::size_t, 3>{1, 1, 1}, {2, 2, 1}, {4, 2, 2}, {5, 3, 2}, {9, 3, 3}, {100, 10, 10}}) {
    const nn::Model model = model_of(info, {units});
    const std::string image = weight_images(info, model, test::random_floats(model.parameters(), 1));
    const Picture size{4 * columns - 1, 4 * rows - 1};
    EXPECT_EQ(image.size(), size.file().size());
    EXPECT_TRUE(image.starts_with(size.file().substr(0, size.file().find("255")))) << units;
  }
}

TEST(WeightImages, AreOfSquareImagesOfOneOrThreeChannelsOnly) {
  const auto refuse = [](const data::DatasetInfo& info) {
    const nn::Model model = model_of(info, {7});
    test::expect_line_with(test::message_of<ConfigError>([&] {
                             weight_images(info, model, test::random_floats(model.parameters(), 1));
                           }),
                           {"--weights", "7 x " + std::to_string(info.features()), "expected",
                            "square images with 1 or 3 channels"});
  };
  refuse(images(2, 3, 3));
  refuse(images(1, 2, 4));
  refuse(images(4, 1, 1));
  data::DatasetInfo numbers = images(1, 2, 2);
  numbers.image.reset();
  refuse(numbers);
}

}  // namespace
}  // namespace lockstep::run
