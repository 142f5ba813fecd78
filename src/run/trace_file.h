// --trace: the ranks' timelines, put together by rank 0.
#pragma once

#include <string>

#include "run/job.h"

namespace lockstep::run {

// From now on the job's timeline is kept. Throws CollectiveError where the file cannot be written.
// Collective.
void begin_trace(Job& job, const std::string& path);

// Writes what all ranks have kept, by rank 0's clock. Throws CollectiveError. Collective.
void write_trace(Job& job, const std::string& path);

}  // namespace lockstep::run
