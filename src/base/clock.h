// The clock that spans of time are measured by.
#pragma once

#include <chrono>
#include <cstdint>

namespace lockstep {

// Nanoseconds of the steady clock.
inline std::int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace lockstep
