// The way in which a reducer's gradients are summed.
#pragma once

#include <memory>

#include "reduce/bucketed_sum.h"
#include "reduce/divided_sum.h"

namespace lockstep::reduce {

// Of all of the arena or, where the division is one, of this rank's part. The references must outlive it, and
// progress unless it is null. words: as DividedSum has it.
template <typename T>
std::unique_ptr<GradientSum<T>> make_sum(const Division& division, const ReduceOptions& options,
                                         const comm::Communicator& communicator, std::size_t words,
                                         int threads, liveness::Progress* progress) {
  if (division.is_divided())
    return std::make_unique<DividedSum<T>>(division, options, communicator, words, threads, progress);
  return std::make_unique<BucketedSum<T>>(division.parameters(), options, communicator, threads, progress);
}

}  // namespace lockstep::reduce
