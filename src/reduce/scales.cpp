#include "reduce/scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/elementary.h"
#include "base/error.h"

namespace lockstep::reduce {
namespace {

constexpr int kMaxExponent = 126;
constexpr int kZeroBits = 63;  // the slot of bit length b is b + kZeroBits
constexpr std::size_t kAllZeroSlot = 0, kNotFiniteSlot = Scales::kSlots - 1;
constexpr int kInitialExponent = 24;

}  // namespace

Scales::Scales(std::size_t tensors, std::size_t contributions, int sum_bits)
    : range_(sum_bits == 32 ? kFullRange : kNarrowRange), exponents_(tensors, kInitialExponent) {
  const std::int64_t largest_sum = (std::int64_t{1} << (sum_bits - 1)) - 1;
  const std::int64_t each = largest_sum / static_cast<std::int64_t>(contributions);
  if (each < (std::int64_t{1} << range_.least))
    throw ConfigError(fmt::format(
        "a step sums {} gradient blocks (data.shards, times the 1024-row pieces of a "
        "micro-batch), expected at most {} with reduce.mode = \"exact\"{}",
        contributions, largest_sum >> range_.least, sum_bits == 32 ? "" : " and reduce.wire = \"int16\""));
  limit_ = static_cast<float>(each);
  if (static_cast<double>(limit_) > static_cast<double>(each)) limit_ = std::nextafter(limit_, 0.0F);
  full_bits_ = std::ilogb(limit_);
}

float Scales::scale(std::size_t tensor) const { return static_cast<float>(power_of_two(exponents_[tensor])); }
float Scales::inverse(std::size_t tensor) const {
  return static_cast<float>(power_of_two(-exponents_[tensor]));
}

void Scales::count(std::size_t tensor, kernels::Magnitude magnitude, std::span<std::int32_t> slots) const {
  std::size_t slot = kAllZeroSlot;
  if (!magnitude.finite()) {
    slot = kNotFiniteSlot;
  } else if (magnitude.largest_bits != 0) {
    const int bits = magnitude.exponent() + exponents_[tensor];
    slot = static_cast<std::size_t>(std::clamp(bits + kZeroBits, 1, static_cast<int>(kNotFiniteSlot) - 1));
  }
  ++slots[tensor * kSlots + slot];
}

std::size_t Scales::highest_slot(std::size_t tensor, std::span<const std::int32_t> slots) {
  std::size_t highest = kSlots - 1;
  while (highest > 0 && slots[tensor * kSlots + highest] == 0) --highest;
  return highest;
}

int Scales::next_exponent(std::size_t tensor, std::size_t highest) const {
  if (highest == kAllZeroSlot || highest == kNotFiniteSlot) return exponents_[tensor];
  const int bits = static_cast<int>(highest) - kZeroBits;
  return std::clamp(exponents_[tensor] + full_bits_ - range_.headroom - bits, -kMaxExponent, kMaxExponent);
}

Scales::Verdict Scales::judge(std::size_t tensor, std::span<const std::int32_t> slots) const {
  const std::size_t highest = highest_slot(tensor, slots);
  if (highest == kNotFiniteSlot) return Verdict::kNotFinite;
  const int rise = next_exponent(tensor, highest) - exponents_[tensor];
  return -range_.headroom <= rise && rise <= range_.slack ? Verdict::kFits : Verdict::kRescale;
}

void Scales::follow(std::span<const std::int32_t> slots) {
  for (std::size_t t = 0; t < exponents_.size(); ++t)
    exponents_[t] = next_exponent(t, highest_slot(t, slots));
}

void Scales::restore(std::span<const std::int32_t> exponents) {
  require(exponents.size() == exponents_.size() &&
              std::all_of(exponents.begin(), exponents.end(),
                          [](std::int32_t exponent) { return std::abs(exponent) <= kMaxExponent; }),
          "Scales: the exponents do not fit the tensors");
  exponents_.assign(exponents.begin(), exponents.end());
}

}  // namespace lockstep::reduce
