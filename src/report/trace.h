// A timeline of all ranks that Chrome's tracing page and Perfetto show.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "liveness/progress.h"

namespace lockstep::report {

struct RankTimeline {
  std::string host;
  std::int64_t clock_ahead = 0;  // nanoseconds, of rank 0's
  std::vector<liveness::TimelineEvent> events;
};

// In the Trace Event Format: a process a rank, times from the first event on. Sums of gradients under way are
// asynchronous events beside the rank's own.
std::string trace_json(std::span<const RankTimeline> ranks);

}  // namespace lockstep::report
