// A data set of one's own: numbers from 0 to 511 as nine bits, and whether most of them are ones.
#pragma once

#include <bit>

#include "data/dataset.h"

namespace lockstep::examples {

class Majority final : public data::Dataset {
 public:
  data::DatasetInfo info() const override {
    data::DatasetInfo info;
    info.name = "majority";
    info.pixels = false;
    info.channels = kBits;
    info.channel_size = 1;
    info.classes = 2;
    info.class_names = {"zeros", "ones"};
    info.train_samples = info.test_samples = 512;
    return info;
  }

  // Asked for some samples only: those of this rank's shards.
  data::SampleStore load(data::Split, std::span<const std::uint32_t> samples) const override {
    auto store = data::SampleStore::of_values(samples.size(), kBits);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      for (int bit = 0; bit < kBits; ++bit)
        store.value_row(i)[bit] = (samples[i] >> bit & 1U) == 1 ? 1.0F : -1.0F;
      store.targets[i] = 2 * std::popcount(samples[i]) > kBits ? 1.0F : 0.0F;
    }
    return store;
  }

 private:
  static constexpr int kBits = 9;
};

}  // namespace lockstep::examples
