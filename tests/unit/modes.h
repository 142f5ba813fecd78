// The ways of reducing gradients, each with what it promises: tests of a promise go through all of them.
#pragma once

#include "reduce/reducer.h"

namespace lockstep::test {

struct ModeCase {
  reduce::ReduceOptions options;
  const char* name;
  bool exact;  // the same bits at any number of ranks, threads and passes; else the same to rounding
};

// Overlap with messages of 16 numbers, so that small networks have many.
inline constexpr ModeCase kModes[] = {
    {{.mode = reduce::Mode::kExact}, "exact", true},
    {{.mode = reduce::Mode::kExact, .overlap = reduce::Overlap::kAlways, .bucket_bytes = 64},
     "exact, overlapped",
     true},
    {{.mode = reduce::Mode::kFloat}, "float", false},
    {{.mode = reduce::Mode::kFloat, .overlap = reduce::Overlap::kAlways, .bucket_bytes = 64},
     "float, overlapped",
     false}};

}  // namespace lockstep::test
