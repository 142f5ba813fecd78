// Sums over the ranks, exchanges and gathers between them, that go on while this process computes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "comm/communicator.h"
#include "liveness/progress.h"

namespace lockstep::comm {

// MPI moves messages while somebody calls it. A thread of this class does, every 100 microseconds while any
// are under way, and sleeps otherwise: it takes some hundredth of a core, and a product may take as long as
// it likes.
//
// Collective: all ranks start the same in the same order. Between the first start and pause() or wait(), or
// a wait_for() that found all in place, the caller leaves MPI alone. A failure throws RankError from pause(),
// wait_for() and wait().
class BackgroundSums {
 public:
  // Whether MPI lets another thread than the main one call it. Without that there are none.
  static bool possible();

  // progress, unless null, is told when each was under way; it must outlive this.
  explicit BackgroundSums(const Communicator& communicator, liveness::Progress* progress = nullptr);
  BackgroundSums(const BackgroundSums&) = delete;
  BackgroundSums& operator=(const BackgroundSums&) = delete;
  // Gives up what is under way: after an error.
  ~BackgroundSums();

  // Begins x <- the sum of all ranks' x, in place; x must stay until wait() has returned. At most 2^30
  // values.
  void start(std::span<float> x);
  void start(std::span<Bfloat16> x);
  void start(std::span<std::int16_t> x);
  void start(std::span<std::int32_t> x);
  // Begins Communicator::exchange; all of it must stay until wait() has returned.
  void start(std::span<const std::byte> out, const Parts& of_out, std::span<std::byte> in,
             const Parts& of_in);
  // Communicator::allgather of a buffer, in turn: a few of them are under way together, and the others begin
  // as these end, in the order of the calls, so that what is needed first arrives first.
  void start_in_turn(const Communicator::Gathered& gathered);

  // Until the next wait() has returned, *in_place, which other processes may read, is `before` plus how many
  // of those started since the last one are in place, from the first on.
  void tell(std::uint64_t& in_place, std::uint64_t before);

  // The thread stops calling MPI, so that the caller may, until the next start.
  void pause();
  // Returns when at least the first `count` that were started since the last wait() are in place; how many
  // are by then, from the first on.
  std::size_t wait_for(std::size_t count);
  // Returns when all is in place.
  void wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep::comm
