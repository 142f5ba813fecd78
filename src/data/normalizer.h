// How features become network inputs.
//
//             pixels (bytes)                        numbers (doubles)
//   none      x = p                                 x = v
//   scale     x = p / 255                           x = v / a_j    a_j: the largest magnitude of feature j
//   mean      x = p / 255 - m_j                     x = v - m_j    m_j: mean of feature j
//   mean_std  x = (p / 255 - m_c) / s_c             x = (v - m_c) / s_c
//
// m_c and s_c are mean and standard deviation (of the population) of channel c; each number is a channel of
// its own. Numbers are moved and brought to order 1 by a power of two in double, and are float32 from there
// on: what lies far from 0 keeps its differences, and any magnitude keeps its digits. The statistics are of
// the training samples in use. They come from integer sums, so they are the same however the samples are
// spread over ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "data/options.h"

namespace lockstep::data {

// How ranks put their statistics together: each replaces every number by the sum, or the largest, of all
// ranks'.
struct AllRanks {
  std::function<void(std::span<std::int64_t>)> sum = [](auto) {};
  std::function<void(std::span<std::int64_t>)> max = [](auto) {};
};

class Normalizer {
 public:
  // own: this rank's training samples, of the info.train_samples that all ranks have. Collective if all_ranks
  // is. A channel of a single value has a stddev of 0, and a feature that is 0 throughout no scale: its x is
  // 0.
  Normalizer(Normalization kind, const DatasetInfo& info, const SampleStore& own, const AllRanks& all_ranks);

  // What each feature is multiplied by and, before that (numbers) or after it (pixels), moved by.
  struct Statistics {
    std::vector<double> shift, scale;
  };
  // One that was fitted before: the same bits. Each list has a number for every feature.
  Normalizer(Normalization kind, bool pixels, const Statistics& statistics);

  Normalization kind() const { return kind_; }
  Statistics statistics() const;

  // x (features) <- sample i. Overwritten.
  void apply(const SampleStore& samples, std::size_t i, std::span<float> x) const { apply(samples, i, 0, x); }
  // The same for the features that begin with this one, as many as x has.
  void apply(const SampleStore& samples, std::size_t i, std::size_t first, std::span<float> x) const;

 private:
  void fit_pixels(Normalization kind, const DatasetInfo& info, const SampleStore& own,
                  const AllRanks& all_ranks);
  void fit_numbers(Normalization kind, const SampleStore& own, std::size_t samples,
                   const AllRanks& all_ranks);

  // Of numbers: x = (v + shift) scale.
  void set_numbers(std::size_t j, double shift, double scale);

  Normalization kind_;
  std::vector<float> scale_;  // of pixels, or of numbers brought to order 1
  std::vector<float> pixel_shift_;
  std::vector<double> shift_, unit_;  // of numbers; a unit is the power of two that goes before its scale
};

}  // namespace lockstep::data
