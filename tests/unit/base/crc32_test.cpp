// Checksums against the values that their standards give.
#include "base/crc32.h"

#include <gtest/gtest.h>

#include <string>

namespace lockstep {
namespace {

TEST(Crc32, OfTheDigitsIsTheCheckValueOfEachPolynomial) {
  EXPECT_EQ(crc32(Crc32::kIeee, "123456789"), 0xcbf43926U);
  EXPECT_EQ(crc32(Crc32::kCastagnoli, "123456789"), 0xe3069283U);
}

// RFC 3720, B.4.
TEST(Crc32, CastagnolisIsThatOfTheExamplesOfIscsi) {
  EXPECT_EQ(crc32(Crc32::kCastagnoli, std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32(Crc32::kCastagnoli, std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(Crc32, OfNothingIsZero) {
  EXPECT_EQ(crc32(Crc32::kIeee, ""), 0U);
  EXPECT_EQ(crc32(Crc32::kCastagnoli, ""), 0U);
}

}  // namespace
}  // namespace lockstep
