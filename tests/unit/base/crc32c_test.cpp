// Checksums against the values that the standard gives.
#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace lockstep {
namespace {

TEST(Crc32c, OfTheDigitsIsThePolynomialsCheckValue) { EXPECT_EQ(crc32c("123456789"), 0xe3069283U); }

// RFC 3720, B.4.
TEST(Crc32c, IsThatOfTheExamplesOfIscsi) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(Crc32c, OfNothingIsZero) { EXPECT_EQ(crc32c(""), 0U); }

}  // namespace
}  // namespace lockstep
