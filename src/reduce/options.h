// What the [reduce] section of a configuration decides.
#pragma once

#include <cstddef>

namespace lockstep::reduce {

enum class Mode { kExact, kFloat };

// Whether gradients are summed while backward goes on: kAuto where ranks are on several hosts.
enum class Overlap { kAuto, kAlways, kNever };

struct ReduceOptions {
  Mode mode = Mode::kExact;
  Overlap overlap = Overlap::kAuto;
  std::size_t bucket_bytes = 0;  // of a message; 0: 1 MiB with overlap, 256 KiB without
};

}  // namespace lockstep::reduce
