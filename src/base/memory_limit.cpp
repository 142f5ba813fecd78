#include "base/memory_limit.h"

#include <unistd.h>

#include <fstream>

namespace lockstep {

MemoryLimit memory_limit() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  return memory_limit(pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)), {});
}

MemoryLimit memory_limit(std::uint64_t machine, const ControlGroupFiles& files) {
  MemoryLimit limit{machine, "the machine's memory"};
  for (const ControlGroup& group : control_groups("memory", files)) {
    const auto file = group.folder / (group.version == 2 ? "memory.max" : "memory.limit_in_bytes");
    std::uint64_t bytes = 0;  // "max", and a file that is not there, set none
    if (std::ifstream(file) >> bytes && bytes < limit.bytes) limit = {bytes, file.string()};
  }
  return limit;
}

}  // namespace lockstep
