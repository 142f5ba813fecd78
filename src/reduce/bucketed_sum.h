// The sum of an arena over the ranks, in buckets that leave as soon as backward is done with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "base/aligned_buffer.h"
#include "base/bfloat16.h"
#include "comm/background_sums.h"
#include "comm/communicator.h"
#include "reduce/options.h"

namespace lockstep::reduce {

// Buckets are cut from the arena's end, where backward begins, alike on all ranks. With overlap a full one
// leaves at once, and is summed while this process computes; without, all of them are summed in finish(), one
// by one: small enough for a cache, which on one machine is faster than one long message. With a narrow
// wire the buckets travel at half the width.
template <typename T>
class BucketedSum {
 public:
  using Half = std::conditional_t<std::is_same_v<T, float>, Bfloat16, std::int16_t>;

  // The arena must stay where it is.
  BucketedSum(std::span<T> arena, const ReduceOptions& options, const comm::Communicator& communicator);

  bool overlaps() const { return background_.has_value(); }
  std::size_t bytes() const { return wire_.size() * sizeof(Half); }

  // Everything from element `first` on is complete, as it was after the calls before from higher ones on.
  // With overlap the caller leaves it, and MPI, alone from now on.
  void complete_from(std::size_t first);
  // All of the arena is complete, and the caller may use MPI again until finish().
  void complete();
  // Returns when the sum is in place, and begins anew. Collective.
  void finish();

 private:
  // Hands the elements before left_ that leave next to `send`, as they travel.
  template <typename Send>
  void send_next(Send&& send);

  std::span<T> arena_;
  AlignedBuffer<Half> wire_;  // with a narrow wire: what travels instead of the arena
  std::size_t bucket_;        // elements
  const comm::Communicator* communicator_;
  std::optional<comm::BackgroundSums> background_;
  std::size_t left_;  // elements before this one have not left
};

extern template class BucketedSum<float>;
extern template class BucketedSum<std::int32_t>;

}  // namespace lockstep::reduce
