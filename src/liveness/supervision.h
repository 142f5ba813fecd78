// How a run is followed and ended from outside: what its parts are handed.
#pragma once

#include "liveness/interruption.h"
#include "liveness/progress.h"

namespace lockstep::liveness {

struct Supervision {
  Progress* progress = nullptr;          // where they note what they do; nothing is noted without
  const StopSignals* signals = nullptr;  // what asks them to stop; nothing does without
};

}  // namespace lockstep::liveness
