// The cyclic redundancy check of TensorBoard's event files.
#pragma once

#include <cstdint>
#include <string_view>

namespace lockstep {

// CRC-32C, Castagnoli's polynomial (RFC 3720, 12.1).
std::uint32_t crc32c(std::string_view bytes);

}  // namespace lockstep
