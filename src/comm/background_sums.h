// Sums over the ranks that go on while this process computes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "comm/communicator.h"
#include "liveness/progress.h"

namespace lockstep::comm {

// MPI moves messages while somebody calls it. A thread of this class does, every 100 microseconds while sums
// are under way, and sleeps otherwise: it takes some hundredth of a core, and a product may take as long as
// it likes.
//
// Collective: all ranks start the same sums in the same order. Between the first start and pause() or wait()
// the caller leaves MPI alone. A failure throws RankError from pause()
// and wait().
class BackgroundSums {
 public:
  // Whether MPI lets another thread than the main one call it. Without that there are no background sums.
  static bool possible();

  // progress, unless null, is told when each sum was under way; it must outlive this.
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

  // The thread stops calling MPI, so that the caller may, until the next start.
  void pause();
  // Returns when all sums are in place.
  void wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep::comm
