#include "data/normalizer.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/elementary.h"
#include "base/fixed_sum.h"
#include "kernels/bytes.h"

namespace lockstep::data {
namespace {

struct Moments {
  double mean = 0.0, deviation = 0.0;
};

Moments moments(double sum, double sum_of_squares, double count) {
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, sum_of_squares / count - mean * mean))};
}

double inverse(double x) { return x > 0.0 ? 1.0 / x : 0.0; }

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

// The largest magnitude of each feature, over all ranks.
std::vector<double> largest_numbers(const SampleStore& own, const AllRanks& all_ranks) {
  std::vector<std::int64_t> bits(own.width);  // of a double of at least 0: ordered as the numbers are
  for (std::size_t i = 0; i < own.size(); ++i) {
    for (std::size_t j = 0; j < own.width; ++j)
      bits[j] = std::max(bits[j], std::bit_cast<std::int64_t>(std::fabs(double{own.number_row(i)[j]})));
  }
  all_ranks.max(bits);
  std::vector<double> largest(own.width);
  for (std::size_t j = 0; j < own.width; ++j) largest[j] = std::bit_cast<double>(bits[j]);
  return largest;
}

// Mean and deviation of each feature over all ranks' samples. Numbers are scaled to +-1 by a power of two
// first, so that a sum without order holds them, and rounded there to multiples of 2^-40.
std::vector<Moments> moments_of_numbers(const SampleStore& own, std::span<const double> largest,
                                        std::size_t samples, const AllRanks& all_ranks) {
  std::vector<int> exponents(own.width);
  for (std::size_t j = 0; j < own.width; ++j) std::frexp(largest[j], &exponents[j]);
  std::vector<FixedSum> sums(2 * own.width);
  for (std::size_t i = 0; i < own.size(); ++i) {
    for (std::size_t j = 0; j < own.width; ++j) {
      const double scaled = std::ldexp(own.number_row(i)[j], -exponents[j]);
      sums[j].add(scaled);
      sums[own.width + j].add(scaled * scaled);
    }
  }
  std::vector<std::int64_t> words;
  for (const FixedSum& sum : sums) words.insert(words.end(), {sum.whole, sum.fraction});
  all_ranks.sum(words);
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = {words[2 * k], words[2 * k + 1]};
  std::vector<Moments> result;
  for (std::size_t j = 0; j < own.width; ++j) {
    const auto [mean, deviation] =
        moments(sums[j].value(), sums[own.width + j].value(), static_cast<double>(samples));
    result.push_back({std::ldexp(mean, exponents[j]), std::ldexp(deviation, exponents[j])});
  }
  return result;
}

}  // namespace

Normalizer::Normalizer(Normalization kind, const DatasetInfo& info, const SampleStore& own,
                       const AllRanks& all_ranks)
    : scale_(info.features(), 1.0F), shift_(info.features()) {
  if (kind == Normalization::kNone) return;
  if (info.pixels)
    fit_pixels(kind, info, own, all_ranks);
  else
    fit_numbers(kind, info, own, all_ranks);
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
      shift_[j] = static_cast<float>(-static_cast<double>(sums[j]) / n / 255.0);
    return;
  }
  for (std::size_t c = 0; c < info.channels; ++c) {
    std::int64_t sum = 0, squares = 0;
    for (std::size_t j = c * info.channel_size; j < (c + 1) * info.channel_size; ++j) {
      sum += sums[j];
      squares += sums[features + j];
    }
    const auto [mean, deviation] = moments(static_cast<double>(sum), static_cast<double>(squares),
                                           n * static_cast<double>(info.channel_size));
    for (std::size_t j = c * info.channel_size; j < (c + 1) * info.channel_size; ++j) {
      scale_[j] = static_cast<float>(inverse(deviation));  // both in units of a byte: 255 cancels
      shift_[j] = static_cast<float>(-mean * inverse(deviation));
    }
  }
}

void Normalizer::fit_numbers(Normalization kind, const DatasetInfo& info, const SampleStore& own,
                             const AllRanks& all_ranks) {
  const std::vector<double> largest = largest_numbers(own, all_ranks);
  if (kind == Normalization::kScale) {
    for (std::size_t j = 0; j < largest.size(); ++j) scale_[j] = static_cast<float>(inverse(largest[j]));
    return;
  }
  const std::vector<Moments> moments = moments_of_numbers(own, largest, info.train_samples, all_ranks);
  for (std::size_t j = 0; j < moments.size(); ++j) {
    shift_[j] = static_cast<float>(-moments[j].mean);
    if (kind == Normalization::kMeanStd) scale_[j] = static_cast<float>(inverse(moments[j].deviation));
  }
}

void Normalizer::apply(const SampleStore& samples, std::size_t i, std::span<float> x) const {
  if (!samples.pixels.empty()) {
    kernels::scale_bytes(samples.pixel_row(i), scale_, shift_, x);
    return;
  }
  const auto numbers = samples.number_row(i);
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = (numbers[j] + shift_[j]) * scale_[j];
}

}  // namespace lockstep::data
