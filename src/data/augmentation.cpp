#include "data/augmentation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/random.h"

namespace lockstep::data {
namespace {

// A side of the square of this size around a pixel, within 0..n-1.
Range around(std::size_t centre, std::size_t size, std::size_t n) {
  const std::size_t before = size / 2;
  return {centre - std::min(centre, before), std::min(n, centre + size - before)};
}

void expect_at_most(const char* key, std::size_t found, std::size_t most, const ImageSize& image) {
  if (found > most)
    throw ConfigError(fmt::format("{} is {}, expected at most {} pixels with images of {} x {}", key, found,
                                  most, image.height, image.width));
}

}  // namespace

Augmentation::Augmentation(const AugmentOptions& options, const std::optional<ImageSize>& image,
                           std::uint64_t seed)
    : options_(options),
      seed_(seed),
      any_(options.flip != Flip::kNone || options.shift != 0 || options.cutout != 0) {
  if (!any_) return;
  if (!image) throw ConfigError("data.augment is set, expected a data set of images with it");
  image_ = *image;
  const std::size_t side = std::min(image_.height, image_.width);
  expect_at_most("data.augment.shift", options.shift, side - 1, image_);
  expect_at_most("data.augment.cutout", options.cutout, side, image_);
}

View Augmentation::view(std::size_t epoch, std::uint32_t sample) const {
  const auto now = static_cast<std::uint32_t>(epoch);
  View view{.padding = options_.shift_padding};
  if (options_.flip == Flip::kRandom)
    view.mirrored = RandomStream(seed_, Purpose::kFlip, now, sample).below(0, 2) == 1;
  if (options_.flip == Flip::kAlternate)
    view.mirrored = RandomStream(seed_, Purpose::kFlip, 0, sample).below(0, 2) == epoch % 2;
  if (options_.shift != 0) {
    const RandomStream stream(seed_, Purpose::kShift, now, sample);
    const auto shift = static_cast<std::ptrdiff_t>(options_.shift);
    const auto draw = [&](std::uint32_t index) {
      return static_cast<std::ptrdiff_t>(stream.below(index, static_cast<std::uint32_t>(2 * shift + 1))) -
             shift;
    };
    view.down = draw(0);
    view.right = draw(1);
  }
  if (options_.cutout != 0) {
    const RandomStream stream(seed_, Purpose::kCutout, now, sample);
    const auto draw = [&](std::uint32_t index, std::size_t n) {
      return around(stream.below(index, static_cast<std::uint32_t>(n)), options_.cutout, n);
    };
    view.hole_rows = draw(0, image_.height);
    view.hole_columns = draw(1, image_.width);
  }
  return view;
}

}  // namespace lockstep::data
