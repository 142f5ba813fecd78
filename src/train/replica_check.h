// Do all ranks still hold the same weights?
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "nn/model.h"

namespace lockstep::train {

// Compares a hash of all ranks' arenas. Where one differs from most (of equals, from the lowest rank's),
// throws AgreedError on all ranks: it names the rank, its host, the step, the epoch and the first tensor that
// differs. Collective.
void check_replicas(const comm::Communicator& communicator, const std::vector<nn::Tensor>& tensors,
                    std::span<const float> arena, std::size_t step, std::size_t epoch);

}  // namespace lockstep::train
