// Does the backward pass compute the derivative of the forward pass? The gradient of a batch, as the trainer
// has it after float32 passes and the reduction over ranks, against central differences of the forward pass
// in double:
//   dL/dw ~ (L(w + h) - L(w - h)) / 2h
// h is 2^-16 of |w|, or of 1 where that is larger; smaller where the two sides disagree. The L2 term is left
// out: the optimizer adds it.
#pragma once

#include <cstddef>
#include <vector>

#include "train/trainer.h"

namespace lockstep::train {

struct TensorCheck {
  std::size_t tensor = 0;   // its place in the model's list
  std::size_t checked = 0;  // elements
  // Of these, where the loss has a kink within h, such as relu at 0. There `difference` is what is nearest to
  // the backward pass between the slopes to the left and the right.
  std::size_t at_kink = 0;
  // The largest |backward - difference| / max(|backward|, |difference|, a tenth of the tensor's largest, what
  // rounding hides).
  double worst = 0.0;
  std::size_t element = 0;                  // where that is: its place in the tensor
  double backward = 0.0, difference = 0.0;  // there
};

// Checks up to `per_tensor` elements of each tensor that learns, drawn by the trainer's seed, on the
// trainer's next batch. The parameters stay as they are. Throws like Trainer::compute_gradient. Collective;
// all ranks get the same, and with the exact reduction at any number of ranks.
std::vector<TensorCheck> check_gradient(Trainer& trainer, std::size_t per_tensor);

}  // namespace lockstep::train
