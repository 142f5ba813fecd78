// How bytes become network inputs.
//
//   none      x = pixel
//   scale     x = pixel / 255
//   mean      x = pixel / 255 - m_j        m_j: mean of feature j over the training samples in use
//   mean_std  x = (pixel / 255 - m_c) / s_c   mean and standard deviation (of the population) of channel c
//
// The statistics come from integer sums, so they are the same however the samples are spread over ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "data/options.h"

namespace lockstep::data {

// Sums over samples, for each feature: of the bytes, and of their squares. Laid out flat (2, features) so
// that ranks can add theirs.
std::vector<std::int64_t> feature_sums(const SampleStore& samples);

class Normalizer {
 public:
  // sums: feature_sums added up over all `samples` training samples; not read for kNone and kScale.
  // A channel of a single value has no deviation: its x is 0.
  Normalizer(Normalization kind, const DatasetInfo& info, std::span<const std::int64_t> sums,
             std::size_t samples);

  // x (features) is overwritten.
  void apply(std::span<const std::uint8_t> pixels, std::span<float> x) const;

 private:
  std::vector<float> scale_, shift_;
};

}  // namespace lockstep::data
