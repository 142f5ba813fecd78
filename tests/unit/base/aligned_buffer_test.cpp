#include "base/aligned_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "support.h"

namespace lockstep {
namespace {

TEST(AlignedBuffer, BeginsOnACacheLineAndIsZero) {
  for (const std::size_t n : test::kAwkwardSizes) {
    AlignedBuffer<float> dirty(n);
    for (float& x : dirty.span()) x = 1.0F;
    dirty = AlignedBuffer<float>(n);  // may get the same memory again
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(dirty.data()) % 64, 0U);
    EXPECT_EQ(dirty.size(), n);
    EXPECT_EQ(dirty.span().size(), n);
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(dirty[i], 0.0F);
  }
}

TEST(AlignedBuffer, MovesItsMemory) {
  AlignedBuffer<std::uint8_t> from(65);
  from[64] = 7;
  const std::uint8_t* place = from.data();
  AlignedBuffer<std::uint8_t> to(std::move(from));
  EXPECT_EQ(to.data(), place);
  EXPECT_EQ(to.size(), 65U);
  AlignedBuffer<std::uint8_t> last(3);
  last = std::move(to);
  EXPECT_EQ(last.data(), place);
  EXPECT_EQ(last[64], 7);
}

TEST(AlignedBuffer, RefusesASizeThatOverflows) {
  EXPECT_THROW(AlignedBuffer<double>(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
}

}  // namespace
}  // namespace lockstep
