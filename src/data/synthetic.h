// A made-up data set in CIFAR-10's format, for tests and for machines without a download.
//
// Each class has a smooth pattern; a sample is its class's pattern, mixed with another class's, at a contrast
// and a brightness of its own, under pixel noise. So a network learns it, but not perfectly. Every byte comes
// from counter-based draws: a rank makes its own samples only. The set is always the same, whatever the run's
// seed.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "data/dataset.h"

namespace lockstep::data {

class Synthetic final : public Dataset {
 public:
  Synthetic();
  DatasetInfo info() const override;
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;

 private:
  // Overwrites the features; returns the class.
  std::uint8_t make_sample(Split split, std::uint32_t sample, std::span<std::uint8_t> features) const;

  std::vector<std::vector<float>> patterns_;  // per class: (features), about -1..1
};

}  // namespace lockstep::data
