// How long the ranks take for something that they do together.
#pragma once

#include <functional>

#include "comm/communicator.h"

namespace lockstep::scaling {

// The median time of `action`, in seconds, begun by all ranks together; `after` follows it, not timed.
// Collective.
double seconds_of(
    const comm::Communicator& world, const std::function<void()>& action,
    const std::function<void()>& after = [] {});

}  // namespace lockstep::scaling
