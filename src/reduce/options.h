// What the [reduce] section of a configuration decides.
#pragma once

#include <cstddef>

namespace lockstep::reduce {

enum class Mode { kExact, kFloat };

// Whether gradients are summed while backward goes on: kAuto where ranks are on several hosts.
enum class Overlap { kAuto, kAlways, kNever };

// What a gradient's sum travels as: kFull 4 bytes per value; kInt16 (exact) and kBf16 (float) half of that,
// rounded more coarsely.
enum class Wire { kFull, kInt16, kBf16 };

// Who updates which parameters: kDivided each rank its part of the arena, which the others then get from it;
// kEverywhere each rank all of them; kAuto divided where the ranks share memory or the parts are about even.
enum class Update { kAuto, kDivided, kEverywhere };

// How the ranks of several hosts divide a sum: kTwo those of a host add up in memory that they share, and one
// of them exchanges with the other hosts; kOne each rank exchanges with each other; kAuto two where a host
// has several ranks that can share memory.
enum class Levels { kAuto, kOne, kTwo };

struct ReduceOptions {
  Mode mode = Mode::kExact;
  Update update = Update::kAuto;
  Levels levels = Levels::kAuto;  // of kDivided
  Wire wire = Wire::kFull;
  Overlap overlap = Overlap::kAuto;
  std::size_t bucket_bytes = 0;  // of a message; 0: 1 MiB with overlap and, of kDivided, between hosts, so
                                 // much that no rank's part is empty; else 256 KiB
  bool shared_memory = true;  // ranks that are all on one host add up in memory that they share, unless sums
                              // overlap or have a narrow wire; false: always by MPI
};

}  // namespace lockstep::reduce
