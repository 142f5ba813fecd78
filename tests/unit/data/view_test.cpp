// Views of images against their definition, pixel by pixel, and against what PyTorch's documentation shows.
#include "data/view.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Two images of random pixels, or of numbers, and how they are normalised.
struct Images {
  ImageSize size;
  SampleStore samples;
  Normalizer normalizer;

  std::size_t features() const { return size.channels * size.height * size.width; }
};

Images random_images(const ImageSize& size, bool pixels) {
  const std::size_t n = size.channels * size.height * size.width;
  SampleStore samples = pixels ? SampleStore::of_pixels(2, n) : SampleStore::of_values(2, n);
  const auto numbers = test::random_floats(2 * n, 7 + n);
  for (std::size_t j = 0; j < 2 * n; ++j)
    if (pixels)
      samples.pixels[j] = static_cast<std::uint8_t>(std::floor(128.0F * (1.0F + numbers[j])));
    else
      samples.values[j] = 1000.0 + numbers[j];
  const DatasetInfo info = {.name = "images",
                            .pixels = pixels,
                            .channels = size.channels,
                            .channel_size = size.height * size.width,
                            .class_names = {},
                            .image = size,
                            .train_samples = 2,
                            .function = {},
                            .note = {}};
  const Normalizer normalizer(Normalization::kMean, info, samples, {});  // another shift for every feature
  return {size, std::move(samples), normalizer};
}

std::vector<float> seen(const View& view, const Images& images, std::size_t i) {
  std::vector<float> x(images.features(), kNaN);
  apply_view(view, images.size, images.normalizer, images.samples, i, x);
  return x;
}

// view.h's formulas, step by step, each on a whole image.
std::vector<float> defined(const View& view, const Images& images, std::size_t i) {
  const auto [channels, height, width] = images.size;
  std::vector<float> n(images.features()), s(n), m(n);
  images.normalizer.apply(images.samples, i, n);
  const auto inside = [](long place, std::size_t side) {
    return place >= 0 && place < static_cast<long>(side);
  };
  const auto reflected = [](long place, std::size_t side) {
    return place < 0                         ? -place
           : place < static_cast<long>(side) ? place
                                             : 2 * (static_cast<long>(side) - 1) - place;
  };
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x) {
        const long row = static_cast<long>(y) - view.down, column = static_cast<long>(x) - view.right;
        const bool zero =
            view.padding == ShiftPadding::kZero && !(inside(row, height) && inside(column, width));
        s[(c * height + y) * width + x] =
            zero ? 0.0F
                 : n[(c * height + static_cast<std::size_t>(reflected(row, height))) * width +
                     static_cast<std::size_t>(reflected(column, width))];
      }
  for (std::size_t line = 0; line < channels * height; ++line)
    for (std::size_t x = 0; x < width; ++x)
      m[line * width + x] = s[line * width + (view.mirrored ? width - 1 - x : x)];
  for (std::size_t line = 0; line < channels * height; ++line)
    for (std::size_t x = view.hole_columns.begin; x < view.hole_columns.end; ++x)
      if (line % height >= view.hole_rows.begin && line % height < view.hole_rows.end)
        m[line * width + x] = 0.0F;
  return m;
}

TEST(View, IsWhatItsDefinitionSays) {
  for (const bool pixels : {true, false}) {
    for (const ImageSize& size :
         {ImageSize{3, 5, 7}, ImageSize{1, 1, 4}, ImageSize{2, 6, 1}, ImageSize{1, 9, 21}}) {
      const Images images = random_images(size, pixels);
      const auto height = static_cast<std::ptrdiff_t>(size.height),
                 width = static_cast<std::ptrdiff_t>(size.width);
      for (std::ptrdiff_t down = 1 - height; down < height; ++down)
        for (std::ptrdiff_t right = 1 - width; right < width; ++right)
          for (const ShiftPadding padding : {ShiftPadding::kReflect, ShiftPadding::kZero})
            for (const bool mirrored : {false, true}) {
              const Range hole = {size.height / 3, size.height - size.height / 4},
                          columns = {size.width / 2, size.width};
              for (const View& view : {View{down, right, padding, mirrored},
                                       View{down, right, padding, mirrored, hole, columns}})
                ASSERT_TRUE(test::same_bits(seen(view, images, 1), defined(view, images, 1)))
                    << down << " down, " << right << " right, mirrored: " << mirrored;
            }
    }
  }
}

TEST(View, OfNothingIsTheImage) {
  const Images images = random_images({3, 32, 32}, true);
  std::vector<float> plain(images.features());
  images.normalizer.apply(images.samples, 0, plain);
  EXPECT_TRUE(test::same_bits(seen({}, images, 0), plain));
}

// The example of torch.nn.ReflectionPad2d: 0 to 8 in rows of three, padded by 2 on each side.
TEST(View, ReflectsAsPyTorchDoes) {
  constexpr float kPadded[7][7] = {{8, 7, 6, 7, 8, 7, 6}, {5, 4, 3, 4, 5, 4, 3}, {2, 1, 0, 1, 2, 1, 0},
                                   {5, 4, 3, 4, 5, 4, 3}, {8, 7, 6, 7, 8, 7, 6}, {5, 4, 3, 4, 5, 4, 3},
                                   {2, 1, 0, 1, 2, 1, 0}};
  Images images = random_images({1, 3, 3}, true);
  for (std::uint8_t j = 0; j < 9; ++j) images.samples.pixels[j] = j;
  images.normalizer = Normalizer(Normalization::kNone, true, {std::vector(9, 0.0), std::vector(9, 1.0)});
  for (std::ptrdiff_t down = -2; down <= 2; ++down)
    for (std::ptrdiff_t right = -2; right <= 2; ++right) {
      const auto x = seen({.down = down, .right = right}, images, 0);
      for (std::ptrdiff_t y = 0; y < 3; ++y)
        for (std::ptrdiff_t k = 0; k < 3; ++k) EXPECT_EQ(x[3 * y + k], kPadded[2 - down + y][2 - right + k]);
    }
}

TEST(View, RefusesTheWrongRoom) {
  const Images images = random_images({3, 4, 5}, true);
  std::vector<float> x(59);
  EXPECT_THROW(apply_view({}, images.size, images.normalizer, images.samples, 0, x), ShapeError);
}

}  // namespace
}  // namespace lockstep::data
