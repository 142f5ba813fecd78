// The hash that two runs are compared by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace lockstep {

// XXH3-64 of the bytes.
std::uint64_t hash64(std::span<const std::byte> bytes, std::uint64_t seed = 0);

// A hash as 16 lower-case hex digits.
std::string hash_text(std::uint64_t hash);

// XXH3-64 of the bytes as such a text.
std::string hash_hex(std::span<const std::byte> bytes);
// Of parts one after the other.
std::string hash_hex(std::span<const std::span<const std::byte>> parts);

}  // namespace lockstep
