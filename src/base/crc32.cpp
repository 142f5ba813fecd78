#include "base/crc32.h"

#include <array>

namespace lockstep {
namespace {

// The remainder of each byte (ISO 3309; the table of RFC 1952, section 8).
constexpr std::array<std::uint32_t, 256> table_of(Crc32 polynomial) {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    table[byte] = byte;
    for (int bit = 0; bit < 8; ++bit)
      table[byte] = table[byte] >> 1 ^ ((table[byte] & 1) != 0 ? static_cast<std::uint32_t>(polynomial) : 0U);
  }
  return table;
}
constexpr auto kIeeeTable = table_of(Crc32::kIeee), kCastagnoliTable = table_of(Crc32::kCastagnoli);

}  // namespace

std::uint32_t crc32(Crc32 polynomial, std::string_view bytes) {
  const auto& table = polynomial == Crc32::kIeee ? kIeeeTable : kCastagnoliTable;
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

}  // namespace lockstep
