// The ways of reducing gradients, each with what it promises: tests of a promise go through all of them.
#pragma once

#include "reduce/reducer.h"

namespace lockstep::test {

struct ModeCase {
  reduce::Mode mode;
  const char* name;
  bool exact;  // the same bits at any number of ranks, threads and passes; else the same to rounding
};

inline constexpr ModeCase kModes[] = {{reduce::Mode::kExact, "exact", true},
                                      {reduce::Mode::kFloat, "float", false}};

}  // namespace lockstep::test
