// The ways of reducing gradients, each with what it promises: tests of a promise go through all of them.
#pragma once

#include <cstdlib>
#include <span>

#include "reduce/reducer.h"

namespace lockstep::test {

struct ModeCase {
  reduce::ReduceOptions options;
  const char* name;
  bool exact;  // the same bits at any number of ranks, threads and passes; else the same to `rounding`
  double rounding = 1e-5;  // of a tensor's sum, relative to its norm
};

// Overlap with messages of 16 numbers, so that small networks have many.
inline constexpr ModeCase kModes[] = {
    {{.mode = reduce::Mode::kExact, .update = reduce::Update::kDivided}, "exact", true},
    {{.mode = reduce::Mode::kFloat, .update = reduce::Update::kDivided}, "float", false},
    {{.mode = reduce::Mode::kExact,
      .update = reduce::Update::kDivided,
      .overlap = reduce::Overlap::kAlways,
      .bucket_bytes = 64},
     "exact, overlapped",
     true},
    {{.mode = reduce::Mode::kFloat,
      .update = reduce::Update::kDivided,
      .overlap = reduce::Overlap::kAlways,
      .bucket_bytes = 64},
     "float, overlapped",
     false},
    {{.mode = reduce::Mode::kExact,
      .update = reduce::Update::kDivided,
      .bucket_bytes = 64,
      .shared_memory = false},
     "exact, by MPI",
     true},
    {{.mode = reduce::Mode::kExact, .update = reduce::Update::kDivided, .wire = reduce::Wire::kInt16},
     "exact, 16-bit integers",
     true,
     3e-2},
    {{.mode = reduce::Mode::kExact,
      .update = reduce::Update::kDivided,
      .wire = reduce::Wire::kInt16,
      .overlap = reduce::Overlap::kAlways,
      .bucket_bytes = 64},
     "exact, 16-bit integers, overlapped",
     true,
     3e-2},
    {{.mode = reduce::Mode::kFloat, .update = reduce::Update::kDivided, .wire = reduce::Wire::kBf16},
     "float, bfloat16",
     false,
     2e-2},
    {{.mode = reduce::Mode::kFloat,
      .update = reduce::Update::kDivided,
      .wire = reduce::Wire::kBf16,
      .overlap = reduce::Overlap::kAlways,
      .bucket_bytes = 64},
     "float, bfloat16, overlapped",
     false,
     2e-2},
    {{.mode = reduce::Mode::kExact, .update = reduce::Update::kEverywhere},
     "exact, updated everywhere",
     true},
    {{.mode = reduce::Mode::kFloat, .update = reduce::Update::kEverywhere},
     "float, updated everywhere",
     false},
    {{.mode = reduce::Mode::kExact,
      .update = reduce::Update::kEverywhere,
      .overlap = reduce::Overlap::kAlways,
      .bucket_bytes = 64},
     "exact, overlapped, updated everywhere",
     true},
    {{.mode = reduce::Mode::kExact,
      .update = reduce::Update::kEverywhere,
      .bucket_bytes = 64,
      .shared_memory = false},
     "exact, by MPI, updated everywhere",
     true}};

// Those that round no more than float32 does.
inline constexpr std::span<const ModeCase> kFullModes(kModes, 5);

// Those in which each rank has a part of the sum.
inline constexpr std::span<const ModeCase> kDividedModes(kModes, 9);

// Those that a test goes through at so many ranks: all of them up to 3, and wherever LOCKSTEP_LONG is set;
// with more ranks, whose jobs are slow and differ from 3 ranks' by their numbers alone, the first two.
inline std::span<const ModeCase> at_ranks(std::span<const ModeCase> modes, int ranks) {
  return ranks <= 3 || std::getenv("LOCKSTEP_LONG") != nullptr ? modes : modes.first(2);
}

}  // namespace lockstep::test
