// A small data set for tests, whose every byte and target is a plain function of the sample's number.
#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"

namespace lockstep::test {

// 2 channels of 3 features, 4 classes. The first two features spell the sample's number; the others depend on
// its label and on the number, so that a network can learn the labels. Targets are the labels 0 to 3, or what
// fewer classes make of them, or values. Notes which samples were asked for.
class MadeUpDataset final : public data::Dataset {
 public:
  static constexpr std::size_t kFeatures = 6, kClasses = 4;

  // classes: 4, 2 or, for values, 0.
  MadeUpDataset(std::size_t train_samples, std::size_t test_samples, std::size_t classes = kClasses)
      : train_samples_(train_samples), test_samples_(test_samples), classes_(classes) {}

  data::DatasetInfo info() const override {
    return {.name = "made up",
            .channels = 2,
            .channel_size = kFeatures / 2,
            .classes = classes_,
            .class_names = {},
            .train_samples = train_samples_,
            .test_samples = test_samples_,
            .function = {},
            .note = {}};
  }

  static std::uint8_t label(data::Split split, std::uint32_t sample) {
    return static_cast<std::uint8_t>((sample * 7 + sample / 5 + (split == data::Split::kTest ? 1 : 0)) %
                                     kClasses);
  }
  static std::uint8_t feature(data::Split split, std::uint32_t sample, std::size_t j) {
    if (j == 0) return static_cast<std::uint8_t>(sample % 256);
    if (j == 1) return static_cast<std::uint8_t>(sample / 256);
    const std::size_t noise = (sample * 37 + j * 101 + sample * sample * (j + 3)) % 97;
    return static_cast<std::uint8_t>(noise + (j - 2 == label(split, sample) ? 100 : 20));
  }

  // The label modulo the number of classes; of values, a quarter of it.
  float target(data::Split split, std::uint32_t sample) const {
    const std::size_t of_four = label(split, sample);
    return classes_ == 0 ? 0.25F * static_cast<float>(of_four) : static_cast<float>(of_four % classes_);
  }

  data::SampleStore load(data::Split split, std::span<const std::uint32_t> samples) const override {
    data::SampleStore store = data::SampleStore::of_pixels(samples.size(), kFeatures);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      store.targets[i] = target(split, samples[i]);
      for (std::size_t j = 0; j < kFeatures; ++j) store.pixel_row(i)[j] = feature(split, samples[i], j);
    }
    loaded_.assign(samples.begin(), samples.end());
    return store;
  }

  // The samples of the last load.
  const std::vector<std::uint32_t>& loaded() const { return loaded_; }

 private:
  std::size_t train_samples_, test_samples_, classes_;
  mutable std::vector<std::uint32_t> loaded_;
};

}  // namespace lockstep::test
