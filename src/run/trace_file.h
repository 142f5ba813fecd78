// --trace: the ranks' timelines, put together by rank 0.
#pragma once

#include <string>

#include "comm/communicator.h"
#include "report/console.h"

namespace lockstep::run {

// From now on this process keeps its timeline. Throws CollectiveError where the file cannot be written.
// Collective.
void begin_trace(const comm::Communicator& world, const std::string& path);

// Writes what all ranks have kept, by rank 0's clock. Throws CollectiveError. Collective.
void write_trace(const comm::Communicator& world, const std::string& path, report::Console& console);

}  // namespace lockstep::run
