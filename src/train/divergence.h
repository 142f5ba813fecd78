// What ends a run whose numbers are no longer finite: which they are, and what to change.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "comm/communicator.h"
#include "nn/model.h"

namespace lockstep::train {

struct TrainerParts;

// The error that ends a run at a step (1, 2, ...), `what` saying what is not finite. Collective.
comm::CollectiveError divergence(const TrainerParts& parts, std::size_t step, const std::string& what);

// Looks for what is not finite in a step whose loss or gradient is not.
class Culprit {
 public:
  // The references must outlive it.
  Culprit(const TrainerParts& parts, std::span<const float> parameters);

  // The layers' outputs of so many of this rank's rows, as Model::forward leaves them.
  void see(nn::Workspace& workspace, std::size_t rows);

  // The error, once all rows have been seen and the gradient is in the reducer. Collective.
  comm::CollectiveError error(std::size_t step) const;

 private:
  const TrainerParts& parts_;
  std::span<const float> parameters_;
  std::size_t first_layer_;      // whose output is not finite, on this rank; the number of layers: none
  double largest_output_ = 0.0;  // magnitude of this rank's
};

}  // namespace lockstep::train
