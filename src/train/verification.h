// Is the run on many ranks the run of one process? Both are trained side by side and compared after every
// step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "nn/model.h"
#include "train/trainer.h"

namespace lockstep::train {

// How two arenas of the same layout differ.
struct ArenaDifference {
  bool identical = true;
  std::string first_tensor;  // the first, in the arena's order, with an element that differs
  std::uint64_t ulps = 0;    // the largest distance, in representable float32 values
  // The largest distance, over the largest magnitude in its layer: a bias whose gradient is zero but for
  // rounding, as before batch norm, is nothing but rounding itself.
  double relative = 0.0;
};
ArenaDifference compare(const std::vector<nn::Tensor>& tensors, std::span<const float> a,
                        std::span<const float> b);

struct Verification {
  std::size_t steps = 0;       // compared
  bool identical = true;       // weights and losses, after every step and before the first
  std::size_t first_step = 0;  // that differs; 0: the weights that training starts from
  std::string odd_replica;     // where the ranks differ among themselves: which one, and where
  ArenaDifference first;       // of that step
  ArenaDifference last;        // of the last step compared
};

// Trains `together`, a trainer on all ranks of the communicator, and `alone`, which rank 0 has on itself
// alone (null elsewhere), for `steps` steps each. Stops at the first step that differs, unless told to go on,
// and at once where the ranks differ among themselves. Throws CollectiveError where a signal asks a rank to
// stop. Collective; `first` and `last` are filled on rank 0 alone.
Verification verify(const comm::Communicator& communicator, const std::vector<nn::Tensor>& tensors,
                    Trainer& together, Trainer* alone, std::size_t steps, bool stop_at_difference);

}  // namespace lockstep::train
