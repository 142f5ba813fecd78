// Norms of a step's gradient, the same bits at any number of ranks and threads.
#pragma once

#include <span>
#include <vector>

#include "comm/communicator.h"
#include "nn/tensor.h"
#include "reduce/reducer.h"

namespace lockstep::train {

// Of each tensor that learns, the sum of its gradient's squares, in double; 0 of the others. Requires: the
// reducer has summed. Collective over its ranks.
std::vector<double> squared_norms(reduce::Reducer& reducer, const std::vector<nn::Tensor>& tensors,
                                  const comm::Communicator& communicator, int threads);

// What a gradient of these squared norms is multiplied by: clip_norm / (norm + 1e-6), at most 1, as in
// torch.nn.utils.clip_grad_norm_; 1 where clip_norm is 0.
double clip_factor(double clip_norm, std::span<const double> squared_norms);

}  // namespace lockstep::train
