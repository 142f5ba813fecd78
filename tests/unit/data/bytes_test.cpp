// Bytes turned into floats.
#include "data/bytes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support.h"

namespace lockstep::data {
namespace {

using test::random_floats;

TEST(ScaleBytes, IsScaleTimesPixelPlusShift) {
  for (const std::size_t n : {0, 1, 7, 21, 63, 64, 65, 256}) {
    std::vector<std::uint8_t> pixels(n);
    for (std::size_t j = 0; j < n; ++j) pixels[j] = static_cast<std::uint8_t>(j * 37 + n);
    const auto scale = random_floats(n, 8), shift = random_floats(n, 9);
    std::vector<float> x(n, std::nanf(""));
    scale_bytes(pixels, scale, shift, x);
    for (std::size_t j = 0; j < n; ++j) {
      const double product = static_cast<double>(pixels[j]) * scale[j];
      EXPECT_NEAR(x[j], product + shift[j], 0x1p-23 * (std::fabs(product) + std::fabs(shift[j])));
    }
  }
}

TEST(ScaleBytes, RefusesLengthsThatDiffer) {
  const std::vector<std::uint8_t> pixels(7);
  const std::vector<float> good(7), bad(8);
  std::vector<float> x(7);
  EXPECT_THROW(scale_bytes(pixels, bad, good, x), ShapeError);
  EXPECT_THROW(scale_bytes(pixels, good, bad, x), ShapeError);
  EXPECT_THROW(scale_bytes(std::span(pixels).first(6), good, good, x), ShapeError);
}

}  // namespace
}  // namespace lockstep::data
