// Does the backward pass compute the derivative of the forward pass? The gradient of a batch, as the trainer
// has it after float32 passes and the reduction over ranks, against central differences of the forward pass
// in double:
//   dL/dw ~ (L(w + h) - L(w - h)) / 2h
// The L2 term is left out: the optimizer adds it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "train/trainer.h"

namespace lockstep::train {

struct TensorCheck {
  std::string tensor;
  std::size_t checked = 0;  // elements
  std::size_t at_kink = 0;  // of these, left out because the loss has a kink within h: relu at 0, say
  double worst = 0.0;       // largest |backward - difference| / max(|backward|, |difference|, a tenth of the
                            // tensor's largest)
  std::size_t element = 0;  // where that is: its place in the tensor
  double backward = 0.0, difference = 0.0;  // there
};

// Checks up to `per_tensor` elements of each tensor, drawn by the trainer's seed, on the trainer's next
// batch. The parameters stay as they are. Throws like Trainer::compute_gradient. Collective; all ranks get
// the same, and with the exact reduction at any number of ranks.
std::vector<TensorCheck> check_gradient(Trainer& trainer, std::size_t per_tensor);

}  // namespace lockstep::train
