#include "kernels/narrow.h"

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::kernels {
namespace {

LOCKSTEP_CLONES void narrow_range(const std::int32_t* x, std::int16_t* half, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) half[i] = static_cast<std::int16_t>(x[i]);
}
LOCKSTEP_CLONES void narrow_range(const float* x, Bfloat16* half, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) half[i] = to_bfloat16(x[i]);
}
LOCKSTEP_CLONES void widen_range(const std::int16_t* half, std::int32_t* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = half[i];
}
LOCKSTEP_CLONES void widen_range(const Bfloat16* half, float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = to_float(half[i]);
}

void require_equal(std::size_t a, std::size_t b) { require(a == b, "narrow, widen: the lengths differ"); }

}  // namespace

void narrow(std::span<const std::int32_t> x, std::span<std::int16_t> half) {
  require_equal(x.size(), half.size());
  narrow_range(x.data(), half.data(), x.size());
}

void narrow(std::span<const float> x, std::span<Bfloat16> half) {
  require_equal(x.size(), half.size());
  narrow_range(x.data(), half.data(), x.size());
}

void widen(std::span<const std::int16_t> half, std::span<std::int32_t> x) {
  require_equal(x.size(), half.size());
  widen_range(half.data(), x.data(), x.size());
}

void widen(std::span<const Bfloat16> half, std::span<float> x) {
  require_equal(x.size(), half.size());
  widen_range(half.data(), x.data(), x.size());
}

}  // namespace lockstep::kernels
