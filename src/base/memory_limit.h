// How much memory the processes of this host may hold.
#pragma once

#include <cstdint>
#include <string>

#include "base/control_groups.h"

namespace lockstep {

struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::string from;  // "the machine's memory", or the cgroup's file
};

// The least of the machine's memory and of what the control groups of this process, and those above them,
// allow: memory.max (version 2) or memory.limit_in_bytes (version 1).
MemoryLimit memory_limit();

// The same of a machine that has so many bytes, and from elsewhere.
MemoryLimit memory_limit(std::uint64_t machine, const ControlGroupFiles& files);

}  // namespace lockstep
