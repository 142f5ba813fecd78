#include "base/random.h"

#include <Random123/philox.h>

#include <cmath>
#include <numeric>
#include <utility>

#include "base/elementary.h"

namespace lockstep {
namespace {

double to_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

}  // namespace

std::array<std::uint32_t, 4> RandomStream::words(std::uint32_t index) const {
  const auto purpose = static_cast<std::uint32_t>(purpose_);
  const r123::Philox4x32::ctr_type counter{{index, a_, b_, purpose}};
  const r123::Philox4x32::key_type key{
      {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)}};
  const auto r = r123::Philox4x32{}(counter, key);
  return {r[0], r[1], r[2], r[3]};
}

double RandomStream::uniform(std::uint32_t index) const {
  const auto w = words(index);
  return to_unit(w[0], w[1]);
}

double RandomStream::normal(std::uint32_t index) const {
  const auto w = words(index);
  const double radius = std::sqrt(-2.0 * stable_log(1.0 - to_unit(w[0], w[1])));
  return radius * stable_cos_turns(to_unit(w[2], w[3]));
}

std::uint32_t RandomStream::below(std::uint32_t index, std::uint32_t bound) const {
  const auto w = words(index);
  const std::uint64_t wide = std::uint64_t{w[0]} << 32 | w[1];
  return static_cast<std::uint32_t>((static_cast<unsigned __int128>(wide) * bound) >> 64);
}

std::vector<std::uint32_t> random_permutation(std::uint32_t n, const RandomStream& stream) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = n; i > 1; --i) std::swap(order[i - 1], order[stream.below(i, i)]);
  return order;
}

}  // namespace lockstep
