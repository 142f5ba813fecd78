// The sum of an array over the ranks, of which each has all: in memory that they share, or by MPI_Allreduce
// in buckets that leave as soon as backward is done with them.
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
#include "comm/shared_memory.h"
#include "reduce/gradient_sum.h"
#include "reduce/options.h"
#include "reduce/ways.h"

namespace lockstep::reduce {

// On one host every rank adds up its part of all ranks' arrays, where they are, into one array that all read:
// each value is read once and written once on the whole host.
//
// Otherwise buckets are cut from the array's end, where backward begins, alike on all ranks. With overlap a
// full one leaves at once, and is summed while this process computes; without, all of them are summed in
// finish(), one by one: small enough for a cache, which on one machine is faster than one long message. With
// a narrow wire the buckets travel at half the width.
template <typename T>
class BucketedSum final : public GradientSum<T> {
 public:
  using Half = std::conditional_t<std::is_same_v<T, float>, Bfloat16, std::int16_t>;

  // Of `size` values, zeros at first. The communicator must outlive it, and progress, which is told of
  // buckets under way unless it is null.
  BucketedSum(std::size_t size, const ReduceOptions& options, const comm::Communicator& communicator,
              int threads, liveness::Progress* progress = nullptr);

  std::span<T> local() override { return local_; }
  bool overlaps() const override { return background_.has_value(); }
  void complete_from(std::size_t first) override;
  void add_up(std::span<std::int64_t> x) override;
  void finish() override;
  std::span<const T> read(std::size_t begin, std::span<T> scratch) const override {
    return sum_.subspan(begin, scratch.size());
  }
  void gather(std::span<float>) override {}  // every rank has updated all of it
  std::size_t bytes() const override {
    return own_.own().size() + shared_sum_.own().size() + wire_.size() * sizeof(Half);
  }

  // Whether the last sum was added up in memory.
  bool in_memory() const { return in_memory_ == InMemory::kYes; }

 private:
  // Hands the elements before left_ that leave next to `send`, as they travel.
  template <typename Send>
  void send_next(Send&& send);

  void add_up_in_memory();

  const comm::Communicator* communicator_;
  int threads_;
  enum class InMemory { kNo, kPossibly, kYes } in_memory_;  // possibly: until the first sum
  comm::SharedMemory own_;                                  // local_
  comm::SharedMemory shared_sum_;  // where the sum is that of shared memory; rank 0's, for all
  std::span<T> local_;
  std::span<const T> sum_;
  AlignedBuffer<Half> wire_;  // with a narrow wire: what travels instead of local_
  std::size_t bucket_;        // elements
  std::optional<comm::BackgroundSums> background_;
  std::size_t left_;  // elements before this one have not left
};

extern template class BucketedSum<float>;
extern template class BucketedSum<std::int32_t>;

}  // namespace lockstep::reduce
