#include "base/crc32c.h"

#include <array>

namespace lockstep {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // its lowest power in the highest bit

// The remainder of each byte (ISO 3309; the table of RFC 1952, section 8).
constexpr std::array<std::uint32_t, 256> table_of_bytes() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    table[byte] = byte;
    for (int bit = 0; bit < 8; ++bit)
      table[byte] = table[byte] >> 1 ^ ((table[byte] & 1) != 0 ? kPolynomial : 0U);
  }
  return table;
}
constexpr auto kTable = table_of_bytes();

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

}  // namespace lockstep
