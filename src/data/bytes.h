// Pixels as bytes turned into floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep::data {

// x_j = pixels_j * scale_j + shift_j. All four have the same length; x is overwritten.
void scale_bytes(std::span<const std::uint8_t> pixels, std::span<const float> scale,
                 std::span<const float> shift, std::span<float> x);

}  // namespace lockstep::data
