#include "data/normalizer.h"

#include <cmath>

#include "base/error.h"
#include "kernels/bytes.h"

namespace lockstep::data {

std::vector<std::int64_t> feature_sums(const SampleStore& samples) {
  std::vector<std::int64_t> sums(2 * samples.width);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto row = samples.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      sums[j] += row[j];
      sums[samples.width + j] += std::int64_t{row[j]} * row[j];
    }
  }
  return sums;
}

Normalizer::Normalizer(Normalization kind, const DatasetInfo& info, std::span<const std::int64_t> sums,
                       std::size_t samples)
    : scale_(info.features(), kind == Normalization::kNone ? 1.0F : 1.0F / 255.0F), shift_(info.features()) {
  if (kind == Normalization::kNone || kind == Normalization::kScale) return;
  const std::size_t features = info.features();
  require(sums.size() == 2 * features, "Normalizer: two sums a feature are needed");
  const auto n = static_cast<double>(samples);
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
    const double count = n * static_cast<double>(info.channel_size);
    const double mean = static_cast<double>(sum) / count;
    const double deviation = std::sqrt(std::max(0.0, static_cast<double>(squares) / count - mean * mean));
    const double inverse = deviation > 0.0 ? 1.0 / deviation : 0.0;  // both in units of a byte: 255 cancels
    for (std::size_t j = c * info.channel_size; j < (c + 1) * info.channel_size; ++j) {
      scale_[j] = static_cast<float>(inverse);
      shift_[j] = static_cast<float>(-mean * inverse);
    }
  }
}

void Normalizer::apply(std::span<const std::uint8_t> pixels, std::span<float> x) const {
  kernels::scale_bytes(pixels, scale_, shift_, x);
}

}  // namespace lockstep::data
