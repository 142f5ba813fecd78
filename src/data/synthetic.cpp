#include "data/synthetic.h"

#include <algorithm>

#include "base/elementary.h"
#include "base/random.h"
#include "data/cifar.h"

namespace lockstep::data {
namespace {

constexpr std::uint64_t kSeed = 0x10c57e9;

// A few plane waves of low frequency in each channel.
std::vector<float> class_pattern(std::uint32_t label) {
  constexpr std::uint32_t kWaves = 4;
  const RandomStream stream(kSeed, Purpose::kSyntheticPattern, label);
  std::vector<float> pattern(kImageBytes);
  std::uint32_t draw = 0;
  for (std::size_t c = 0; c < kImageChannels; ++c) {
    for (std::uint32_t wave = 0; wave < kWaves; ++wave) {
      const double across = stream.uniform(draw++) * 3.0;  // cycles over the image's width
      const double down = stream.uniform(draw++) * 3.0;    // and height
      const double phase = stream.uniform(draw++);
      for (std::size_t i = 0; i < kImageChannelSize; ++i) {
        const double turns =
            (across * static_cast<double>(i % kImageSide) + down * static_cast<double>(i / kImageSide)) /
            kImageSide;
        const double t = turns + phase;
        pattern[c * kImageChannelSize + i] +=
            static_cast<float>(stable_cos_turns(t - std::floor(t)) / kWaves);
      }
    }
  }
  return pattern;
}

}  // namespace

Synthetic::Synthetic() {
  for (std::uint32_t label = 0; label < kImageClasses; ++label) patterns_.push_back(class_pattern(label));
}

DatasetInfo Synthetic::info() const {
  return {.name = "synthetic",
          .channels = kImageChannels,
          .channel_size = kImageChannelSize,
          .classes = kImageClasses,
          .class_names = {},
          .image = ImageSize{kImageChannels, kImageSide, kImageSide},
          .train_samples = 50000,
          .test_samples = 10000,
          .function = {},
          .note = {}};
}

SampleStore Synthetic::load(Split split, std::span<const std::uint32_t> samples) const {
  SampleStore store = SampleStore::of_pixels(samples.size(), kImageBytes);
  for (std::size_t i = 0; i < samples.size(); ++i)
    store.targets[i] = make_sample(split, samples[i], store.pixel_row(i));
  return store;
}

std::uint8_t Synthetic::make_sample(Split split, std::uint32_t sample,
                                    std::span<std::uint8_t> features) const {
  const RandomStream stream(kSeed, Purpose::kSyntheticSample, split == Split::kTrain ? 0 : 1, sample);
  const auto label = static_cast<std::uint8_t>(stream.below(0, kImageClasses));
  const auto& own = patterns_[label];
  const auto& other = patterns_[stream.below(1, kImageClasses)];
  const auto contrast = static_cast<float>(20.0 + 30.0 * stream.uniform(2));
  const auto mixed = static_cast<float>(0.9 * stream.uniform(3)) * contrast;
  const auto brightness = static_cast<float>(128.0 + 15.0 * stream.normal(4));
  constexpr std::uint32_t kFirstNoiseDraw = 5;
  constexpr float kNoise = 80.0F;  // full width of the uniform pixel noise
  for (std::size_t j = 0; j < features.size(); j += 16) {
    const auto words = stream.words(kFirstNoiseDraw + static_cast<std::uint32_t>(j / 16));
    for (std::size_t b = 0; b < 16; ++b) {
      const auto byte = static_cast<float>(words[b / 4] >> (b % 4 * 8) & 0xffU);
      const float noise = (byte / 255.0F - 0.5F) * kNoise;
      const float value = brightness + contrast * own[j + b] + mixed * other[j + b] + noise;
      features[j + b] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
    }
  }
  return label;
}

}  // namespace lockstep::data
