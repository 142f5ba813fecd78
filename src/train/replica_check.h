// Do all ranks still hold the same weights?
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "nn/model.h"

namespace lockstep::train {

// Compares a hash of all ranks' arenas, of `what`. Where one differs from most (of equals, from the lowest
// rank's), a line that names the rank, its host and the first tensor that differs; else nothing. The same on
// all ranks. Collective.
std::optional<std::string> find_odd_replica(const comm::Communicator& communicator,
                                            const std::vector<nn::Tensor>& tensors,
                                            std::span<const float> arena,
                                            const std::string& what = "weights");

// Throws CollectiveError on all ranks if find_odd_replica finds one; the line names step and epoch too.
// Collective.
void check_replicas(const comm::Communicator& communicator, const std::vector<nn::Tensor>& tensors,
                    std::span<const float> arena, const std::string& what, std::size_t step,
                    std::size_t epoch);

}  // namespace lockstep::train
