// The sum of an arena over the ranks, as the reducers use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace lockstep::reduce {

// A round: every rank writes its values to local(), from the arena's end to its beginning, and tells
// complete_from() how far it is; then come add_up() and finish(), and after these, as wait_for_sum() says,
// read() has the sum of what is this rank's part by the Division. Collective: all but local(), read() and the
// waits.
template <typename T>
class GradientSum {
 public:
  GradientSum() = default;
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;
  virtual ~GradientSum() = default;

  // This rank's, laid out like the arena: to be written before the sum and, by then, lost.
  virtual std::span<T> local() = 0;

  // Whether parts of the sum travel while the rest is computed.
  virtual bool overlaps() const = 0;
  // Every element from `first` on is complete, as it was after the calls before from higher ones on. With
  // overlap the caller leaves it alone from now on, and MPI until all are complete, from 0 on.
  virtual void complete_from(std::size_t first) = 0;

  // x <- the sums over the ranks of these few integers. Here a rank waits until all are done with their
  // values. Requires: complete_from(0).
  virtual void add_up(std::span<std::int64_t> x) = 0;
  // Begins the next round. The sum is there when wait_for_sum() says so. Requires: add_up().
  virtual void finish() = 0;
  // As Reducer has it; unless overridden, all is there. kAll is more than there are.
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  virtual std::size_t wait_for_sum(std::size_t /*least*/) { return kAll; }

  // The sum's elements [begin, begin + scratch.size()), in `scratch` or where they are; they lie in one chunk
  // that is this rank's. From wait_for_sum() until the next round's values are written: before that lies an
  // add_up() or a gather() of all ranks. Concurrent calls are safe.
  virtual std::span<const T> read(std::size_t begin, std::span<T> scratch) const = 0;

  // Of an arena of which every rank has its part: the others' parts too.
  virtual void gather(std::span<float> arena) = 0;
  // As Reducer has them: unless overridden, gathered at once.
  virtual void begin_gather(std::span<float> arena) { gather(arena); }
  virtual std::size_t wait_for(std::span<const float> parameters, std::size_t /*least*/) {
    return parameters.size();
  }
  virtual void give_up() {}

  // Of the memory that this rank made.
  virtual std::size_t bytes() const = 0;
};

}  // namespace lockstep::reduce
