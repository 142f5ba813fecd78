#include "base/hash.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

namespace lockstep {

std::uint64_t hash64(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string hash_hex(std::span<const std::byte> bytes) { return fmt::format("{:016x}", hash64(bytes)); }

}  // namespace lockstep
