#include "data/normalizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/elementary.h"
#include "base/error.h"
#include "base/fixed_sum.h"
#include "data/bytes.h"

namespace lockstep::data {
namespace {

struct MeanStddev {
  double mean = 0.0, stddev = 0.0;
};

MeanStddev moments(double sum, double sum_of_squares, double count) {
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, sum_of_squares / count - mean * mean))};
}

// 0 of what is 0, or nothing beside the magnitudes that a data set may have.
double inverse(double x) { return x > 0x1p-1000 ? 1.0 / x : 0.0; }

// What is added to a feature's numbers to centre them: minus their mean, rounded to float32 unless that would
// move them by a part of their range that matters.
double centring_shift(double mean, double range) {
  const auto rounded = static_cast<double>(static_cast<float>(-mean));
  return std::fabs(rounded + mean) <= 0x1p-16 * range ? rounded : -mean;
}

// Sums over samples, for each feature: of the bytes, then of their squares.
std::vector<std::int64_t> sums_of_pixels(const SampleStore& samples) {
  std::vector<std::int64_t> sums(2 * samples.width);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto row = samples.pixel_row(i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      sums[j] += row[j];
      sums[samples.width + j] += std::int64_t{row[j]} * row[j];
    }
  }
  return sums;
}

// Doubles as integers of the same order, and back.
std::int64_t ordered(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  return bits >= 0 ? bits : ~(bits & std::numeric_limits<std::int64_t>::max());
}
double from_ordered(std::int64_t key) {
  return std::bit_cast<double>(key >= 0 ? key : ~key | std::numeric_limits<std::int64_t>::min());
}

struct Interval {
  double low = 0.0, high = 0.0;
  double largest() const { return std::max(std::fabs(low), std::fabs(high)); }
  double centre() const { return low + 0.5 * (high - low); }
};

// The smallest and the largest number of each feature, over all ranks.
std::vector<Interval> ranges_of_numbers(const SampleStore& own, const AllRanks& all_ranks) {
  std::vector<std::int64_t> keys(2 * own.width, std::numeric_limits<std::int64_t>::min());  // of -v and of v
  for (std::size_t i = 0; i < own.size(); ++i) {
    for (std::size_t j = 0; j < own.width; ++j) {
      const double v = own.value_row(i)[j];
      keys[2 * j] = std::max(keys[2 * j], ordered(-v));
      keys[2 * j + 1] = std::max(keys[2 * j + 1], ordered(v));
    }
  }
  all_ranks.max(keys);
  std::vector<Interval> ranges;
  for (std::size_t j = 0; j < own.width; ++j)
    ranges.push_back({-from_ordered(keys[2 * j]), from_ordered(keys[2 * j + 1])});
  return ranges;
}

// Mean and standard deviation of each feature over all ranks' samples. Each number is taken from the centre
// of its feature's range and scaled to +-1/2 by a power of two, so that a sum without order holds it to 2^-40
// of that range.
std::vector<MeanStddev> moments_of_numbers(const SampleStore& own, std::span<const Interval> ranges,
                                           std::size_t samples, const AllRanks& all_ranks) {
  std::vector<int> exponents(own.width);
  for (std::size_t j = 0; j < own.width; ++j) std::frexp(ranges[j].high - ranges[j].low, &exponents[j]);
  std::vector<FixedSum> sums(2 * own.width);
  for (std::size_t i = 0; i < own.size(); ++i) {
    for (std::size_t j = 0; j < own.width; ++j) {
      const double scaled = std::ldexp(own.value_row(i)[j] - ranges[j].centre(), -exponents[j]);
      sums[j].add(scaled);
      sums[own.width + j].add(scaled * scaled);
    }
  }
  std::vector<std::int64_t> words;
  for (const FixedSum& sum : sums) words.insert(words.end(), {sum.whole, sum.fraction});
  all_ranks.sum(words);
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = {words[2 * k], words[2 * k + 1]};
  std::vector<MeanStddev> result;
  for (std::size_t j = 0; j < own.width; ++j) {
    const auto [mean, stddev] =
        moments(sums[j].value(), sums[own.width + j].value(), static_cast<double>(samples));
    result.push_back({ranges[j].centre() + std::ldexp(mean, exponents[j]), std::ldexp(stddev, exponents[j])});
  }
  return result;
}

}  // namespace

Normalizer::Normalizer(Normalization kind, const DatasetInfo& info, const SampleStore& own,
                       const AllRanks& all_ranks)
    : Normalizer(kind, info.pixels,
                 {std::vector<double>(info.features()), std::vector<double>(info.features(), 1.0)}) {
  if (kind == Normalization::kNone) return;
  if (info.pixels)
    fit_pixels(kind, info, own, all_ranks);
  else
    fit_numbers(kind, own, info.train_samples, all_ranks);
}

Normalizer::Normalizer(Normalization kind, bool pixels, const Statistics& statistics)
    : kind_(kind), scale_(statistics.scale.size()) {
  require(statistics.shift.size() == statistics.scale.size(),
          "Normalizer: another number of shifts and scales");
  if (pixels) {
    pixel_shift_.assign(statistics.shift.begin(), statistics.shift.end());
    scale_.assign(statistics.scale.begin(), statistics.scale.end());
    return;
  }
  shift_.resize(scale_.size());
  unit_.resize(scale_.size());
  for (std::size_t j = 0; j < scale_.size(); ++j) set_numbers(j, statistics.shift[j], statistics.scale[j]);
}

Normalizer::Statistics Normalizer::statistics() const {
  Statistics statistics{.shift = shift_, .scale = {scale_.begin(), scale_.end()}};
  if (!pixel_shift_.empty()) statistics.shift.assign(pixel_shift_.begin(), pixel_shift_.end());
  for (std::size_t j = 0; j < unit_.size(); ++j) statistics.scale[j] *= unit_[j];
  return statistics;
}

void Normalizer::fit_pixels(Normalization kind, const DatasetInfo& info, const SampleStore& own,
                            const AllRanks& all_ranks) {
  const std::size_t features = info.features();
  std::fill(scale_.begin(), scale_.end(), 1.0F / 255.0F);
  if (kind == Normalization::kScale) return;
  std::vector<std::int64_t> sums = sums_of_pixels(own);
  all_ranks.sum(sums);
  const auto n = static_cast<double>(info.train_samples);
  if (kind == Normalization::kMean) {
    for (std::size_t j = 0; j < features; ++j)
      pixel_shift_[j] = static_cast<float>(-static_cast<double>(sums[j]) / n / 255.0);
    return;
  }
  for (std::size_t c = 0; c < info.channels; ++c) {
    std::int64_t sum = 0, squares = 0;
    for (std::size_t j = c * info.channel_size; j < (c + 1) * info.channel_size; ++j) {
      sum += sums[j];
      squares += sums[features + j];
    }
    const auto [mean, stddev] = moments(static_cast<double>(sum), static_cast<double>(squares),
                                        n * static_cast<double>(info.channel_size));
    for (std::size_t j = c * info.channel_size; j < (c + 1) * info.channel_size; ++j) {
      scale_[j] = static_cast<float>(inverse(stddev));  // both in units of a byte: 255 cancels
      pixel_shift_[j] = static_cast<float>(-mean * inverse(stddev));
    }
  }
}

void Normalizer::fit_numbers(Normalization kind, const SampleStore& own, std::size_t samples,
                             const AllRanks& all_ranks) {
  const std::vector<Interval> ranges = ranges_of_numbers(own, all_ranks);
  if (kind == Normalization::kScale) {
    for (std::size_t j = 0; j < ranges.size(); ++j) set_numbers(j, 0.0, inverse(ranges[j].largest()));
    return;
  }
  const std::vector<MeanStddev> moments = moments_of_numbers(own, ranges, samples, all_ranks);
  for (std::size_t j = 0; j < moments.size(); ++j)
    set_numbers(j, centring_shift(moments[j].mean, ranges[j].high - ranges[j].low),
                kind == Normalization::kMeanStd ? inverse(moments[j].stddev) : 1.0);
}

void Normalizer::set_numbers(std::size_t j, double shift, double scale) {
  shift_[j] = shift;
  unit_[j] = scale > 0.0 ? power_of_two(std::ilogb(scale)) : 1.0;
  scale_[j] = static_cast<float>(scale / unit_[j]);
}

void Normalizer::apply(const SampleStore& samples, std::size_t i, std::size_t first,
                       std::span<float> x) const {
  require(first + x.size() <= scale_.size(), "Normalizer: a sample has fewer features");
  const std::size_t n = x.size();
  if (!samples.pixels.empty()) {
    scale_bytes(samples.pixel_row(i).subspan(first, n), std::span(scale_).subspan(first, n),
                std::span(pixel_shift_).subspan(first, n), x);
    return;
  }
  const auto numbers = samples.value_row(i).subspan(first, n);
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t j = first + k;
    x[k] = static_cast<float>((numbers[k] + shift_[j]) * unit_[j]) * scale_[j];
  }
}

}  // namespace lockstep::data
