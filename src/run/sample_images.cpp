#include "run/sample_images.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "run/tiles.h"

namespace lockstep::run {
namespace {

// Features of one sample as bytes.
std::vector<std::uint8_t> as_bytes(const data::SampleStore& sample) {
  if (!sample.pixels.empty()) return sample.pixels;
  const auto [least, largest] = std::ranges::minmax(sample.values);
  const double range = largest > least ? largest - least : 1.0;
  std::vector<std::uint8_t> bytes;
  for (const double value : sample.values)
    bytes.push_back(static_cast<std::uint8_t>(std::lround(255.0 * ((value - least) / range))));
  return bytes;
}

}  // namespace

bool are_images(const data::DatasetInfo& info) {
  return info.image && (info.image->channels == 1 || info.image->channels == 3);
}

std::string sample_images(const data::Dataset& dataset, data::Split split,
                          std::span<const std::uint32_t> samples) {
  const data::ImageSize image = *dataset.info().image;
  const std::size_t channel = image.height * image.width;
  Tiles tiles(samples.size(), image.height, image.width);
  for (std::size_t tile = 0; tile < samples.size(); ++tile) {  // each by itself: they are in any order
    const std::vector<std::uint8_t> bytes = as_bytes(dataset.load(split, samples.subspan(tile, 1)));
    const auto of = [&](std::size_t colour, std::size_t i) {
      return bytes[(image.channels == 1 ? 0 : colour) * channel + i];
    };
    for (std::size_t i = 0; i < channel; ++i)
      tiles.paint(tile, i / image.width, i % image.width, {of(0, i), of(1, i), of(2, i)});
  }
  return tiles.ppm();
}

}  // namespace lockstep::run
