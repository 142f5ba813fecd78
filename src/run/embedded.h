// Files of the source tree that are compiled into the program (embed.cmake writes their text).
#pragma once

#include <span>
#include <string_view>

namespace lockstep::run {

struct EmbeddedFile {
  std::string_view name;  // its path below configs/
  std::string_view text;
};

// The configurations that the published runs are of.
std::span<const EmbeddedFile> embedded_configurations();

// results/hashes.json
std::string_view embedded_hashes();

}  // namespace lockstep::run
