// Cyclic redundancy checks of 32 bits, as PNG files and TensorBoard's event files have them.
#pragma once

#include <cstdint>
#include <string_view>

namespace lockstep {

// The generator polynomial, its lowest power in the highest bit.
enum class Crc32 : std::uint32_t {
  kIeee = 0xedb88320,        // zlib's, Ethernet's, PNG's
  kCastagnoli = 0x82f63b78,  // CRC-32C, RFC 3720
};

// Begins with all bits set and inverts the result, as both of them are used everywhere.
std::uint32_t crc32(Crc32 polynomial, std::string_view bytes);

}  // namespace lockstep
