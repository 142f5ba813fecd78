// Sums gradients over the rows of a batch and over all ranks.
//
// A step: any number of passes, each start_pass and a Model::backward, which calls add for every tensor; then
// finalize. After
// finalize every rank holds the same sum, up to the promise of the mode:
//   float  the classical trainer: each rank sums its rows in one product a tensor, then
//   MPI_Allreduce(MPI_FLOAT).
//          Agrees with one process to rounding.
#pragma once

#include <memory>
#include <span>

#include "comm/communicator.h"
#include "nn/gradient_sink.h"
#include "nn/model.h"

namespace lockstep::reduce {

enum class Mode { kFloat };

struct ReduceOptions {
  Mode mode = Mode::kFloat;
};

class Reducer : public nn::GradientSink {
 public:
  // Sums over the ranks what was added since the last finalize; a tensor that nothing was added to counts as
  // 0 (this rank's part of the batch was empty). Collective. The view is valid until the next add.
  virtual std::span<const float> finalize() = 0;

  // What the reducer holds, for the report of memory.
  virtual std::size_t bytes() const = 0;
};

// The reducer of options.mode for the gradients of `model`; both references must outlive it.
std::unique_ptr<Reducer> make_reducer(const ReduceOptions& options, const nn::Model& model,
                                      const comm::Communicator& communicator, int threads);

}  // namespace lockstep::reduce
