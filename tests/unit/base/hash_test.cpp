#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lockstep {
namespace {

std::string hash_of(const std::string& text) { return hash_hex(std::as_bytes(std::span(text))); }

TEST(Hash, OfNothingIsThePublishedOne) {
  EXPECT_EQ(hash_hex(std::span<const std::byte>{}), "2d06800538d394c2");
}

TEST(Hash, IsSixteenLowerCaseHexDigits) {
  for (int i = 0; i < 500; ++i) {  // about thirty of them begin with a 0
    const std::string hash = hash_of(std::to_string(i));
    EXPECT_EQ(hash.size(), 16U) << hash;
    EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos) << hash;
  }
}

TEST(Hash, HexDigitsAreTheNumbers) {
  for (int i = 0; i < 100; ++i) {
    const std::string text = std::to_string(i);
    EXPECT_EQ(std::stoull(hash_of(text), nullptr, 16), hash64(std::as_bytes(std::span(text))));
  }
}

TEST(Hash, EveryBitCounts) {
  std::string bytes(300, 'x');
  std::set<std::string> hashes{hash_of(bytes)};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      hashes.insert(hash_of(bytes));
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
    }
  }
  EXPECT_EQ(hashes.size(), 1 + 8 * bytes.size());
}

TEST(Hash, DependsOnOrderAndLength) {
  EXPECT_NE(hash_of("ab"), hash_of("ba"));
  EXPECT_NE(hash_of(std::string(3, '\0')), hash_of(std::string(4, '\0')));
}

}  // namespace
}  // namespace lockstep
