// Sums gradients over the rows of a batch and over all ranks. That of a frozen tensor is not computed: it
// reads as 0.
//
// A step: one or more passes, each begin_pass() and a Model::backward, which calls add() for every tensor,
// from the arena's end to its beginning; then finish(). A rank without rows makes one pass of none. After it
// each rank reads its part of the sum, by the division, as it comes, and may update its part of an arena, of
// which gather() brings it the others'. The sum is the same, up to the promise of the mode:
//   exact  the same bits at any number of ranks and threads; README.md in this folder says how and why.
//   float  the classical trainer: each rank sums its rows in one product per tensor, the ranks sum floats.
//          Agrees with one process to rounding.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "liveness/progress.h"
#include "nn/gradient_sink.h"
#include "nn/model.h"
#include "reduce/division.h"
#include "reduce/options.h"
#include "reduce/statistics_sum.h"

namespace lockstep::reduce {

class Reducer : public nn::GradientSink {
 public:
  // Both must outlive it. Every rank reads all of the sum.
  Reducer(const nn::Model& model, const comm::Communicator& communicator)
      : Reducer(model, communicator, Division(model.tensors())) {}
  // Each reads what is its own by the division.
  Reducer(const nn::Model& model, const comm::Communicator& communicator, Division division)
      : statistics_(model), model_(&model), communicator_(&communicator), division_(std::move(division)) {}

  const Division& division() const { return division_; }

  enum class Outcome {
    kSummed,     // wait_for_sum(), read() and gradient() give the sum
    kRepeat,     // the gradients did not fit their scales, which are corrected now: the step's passes must be
                 // run again
    kNotFinite,  // the sum has an infinity or NaN
  };

  // The samples of the terms that follow are these blocks one after the other: block k has block_rows[k] >= 1
  // of them. last: no other pass follows in this step. What it completes may travel at once, so that the
  // caller leaves MPI alone until the pass's last add() has returned. Waits for what is left of a sum.
  virtual void begin_pass(std::span<const std::size_t> block_rows, bool last) = 0;

  // beside <- its sums over the ranks: at most kBeside integers, which travel with what this sum needs to
  // know of all ranks. The first call of a step, before finish(), that waits for the other ranks. Collective.
  // Requires: the step's last pass is over.
  static constexpr std::size_t kBeside = 16;
  virtual void add_up(std::span<std::int64_t> beside) { communicator_->allreduce_sum(beside); }

  // Sums over the ranks what was added since the last finish(); adds up nothing beside it, where that was not
  // done. Collective; every rank gets the same outcome. Requires: the step's last pass is over.
  virtual Outcome finish() = 0;

  // Of a sum, that of the arena's end may be there before that of its beginning: returns when the first
  // `least` chunks of division().own() can be read; how many can by then, from the first on. Until all of the
  // sum is there this rank leaves MPI alone, and keeps the reducer. Not collective.
  virtual std::size_t wait_for_sum(std::size_t /*least*/) { return division_.own().size(); }
  // Returns when nothing of the sum is under way.
  void wait_for_whole_sum() { wait_for_sum(kAll); }

  // The sum's elements [begin, begin + scratch.size()) of the arena: of `tensor`, in one chunk that is this
  // rank's and for which wait_for_sum() has waited, or of a tensor without gradient, any of it. In `scratch`,
  // or where the reducer has them. Valid until the next add(); where the division is one, a gather() or
  // gradient() comes before that. Concurrent calls are safe.
  virtual std::span<const float> read(std::size_t tensor, std::size_t begin,
                                      std::span<float> scratch) const = 0;
  // All of it, laid out like the parameter arena. Collective.
  std::vector<float> gradient();

  // Of an arena of which each rank has its part: the others' parts too. Waits first for what begin_gather()
  // began. Collective.
  virtual void gather(std::span<float>) const {}
  // The same, but the others' parts may arrive later, in the arena's order. Until wait_for() has found all of
  // it there, this rank does nothing with what is not, changes nothing, and leaves MPI alone. Collective.
  virtual void begin_gather(std::span<float> arena) { gather(arena); }
  // Returns when at least the first `least` of these elements of that arena are there; how many of them are
  // by then, from the first on. Not collective.
  virtual std::size_t wait_for(std::span<const float> parameters, std::size_t /*least*/) {
    return parameters.size();
  }
  // After an error: the arena may go. Nothing but the destructor may follow where parts of it were under way.
  virtual void give_up() {}

  // What the next step's sum depends on beside its terms: integers that a checkpoint keeps. Empty if nothing
  // does.
  virtual std::vector<std::int32_t> state() const = 0;
  // Goes on from such a state. Throws ShapeError unless it has as many.
  virtual void restore(std::span<const std::int32_t> state) = 0;

  // What the reducer holds, for the report of memory.
  virtual std::size_t bytes() const = 0;

 protected:
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  const nn::Model& model() const { return *model_; }
  bool has_gradient(std::size_t tensor) const { return model_->tensors()[tensor].has_gradient(); }

  StatisticsSum statistics_;  // of the tensors that have none, in either mode

 private:
  const nn::Model* model_;
  const comm::Communicator* communicator_;
  Division division_;
};

// Who reads which part of the sum, by options.update and where the ranks are.
Division division_of(const ReduceOptions& options, const nn::Model& model,
                     const comm::Communicator& communicator);

// The reducer of options.mode for the gradients of `model`; both references must outlive it. contributions:
// the largest number of blocks in a step, over all ranks. Throws ConfigError where they are too many for the
// exact mode. progress, unless null, is told of buckets under way, and must outlive it.
std::unique_ptr<Reducer> make_reducer(const ReduceOptions& options, const nn::Model& model,
                                      std::size_t contributions, const comm::Communicator& communicator,
                                      int threads, liveness::Progress* progress = nullptr);

}  // namespace lockstep::reduce
