// A search: many trials of one configuration, spread over groups of ranks.
#pragma once

#include <string>

#include "run/job.h"

namespace lockstep::run {

struct SweepArguments {
  std::string sweep;  // a TOML file that names a configuration and what to vary in it
  std::string out;    // empty: runs/NAME-OF-SWEEP
  int ranks_per_trial = 1;
  std::string program = "lockstep";  // as it was called
};

// Throws CollectiveError. Collective.
void sweep(Job& job, const SweepArguments& arguments);

}  // namespace lockstep::run
