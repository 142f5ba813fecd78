// Every array of one training step, in a file that numpy.load opens.
#pragma once

#include <string>

#include "run/job.h"
#include "run/recorded_step.h"

namespace lockstep::run {

struct TraceStepArguments {
  StepChoice choice;
  std::string out = "step.npz";
};

// Returns whether every array is what double precision gives, up to rounding; else nothing is written. Throws
// CollectiveError.
bool trace_step(Job& job, const TraceStepArguments& arguments);

}  // namespace lockstep::run
