#include "data/bytes.h"

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::data {
namespace {

LOCKSTEP_CLONES void scale_row(const std::uint8_t* pixels, const float* scale, const float* shift, float* x,
                               std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) x[j] = static_cast<float>(pixels[j]) * scale[j] + shift[j];
}

}  // namespace

void scale_bytes(std::span<const std::uint8_t> pixels, std::span<const float> scale,
                 std::span<const float> shift, std::span<float> x) {
  require(pixels.size() == x.size() && scale.size() == x.size() && shift.size() == x.size(),
          "scale_bytes: the lengths differ");
  scale_row(pixels.data(), scale.data(), shift.data(), x.data(), x.size());
}

}  // namespace lockstep::data
