// A training run, from a configuration to a run folder.
#pragma once

#include <string>
#include <vector>

#include "run/job.h"

namespace lockstep::run {

struct TrainArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string out;  // empty: runs/NAME-OF-CONFIG
  // Checkpoints to go on from, of which the last counts: a file; "latest", the run folder's newest; "auto",
  // that if there is one, else as without it. Empty: from the start.
  std::vector<std::string> resume;
  std::string resume_from;  // a checkpoint or a run folder, to begin a new run with its weights and momentum
  bool overwrite = false;   // the run that the run folder holds, if it does
  std::string trace;        // where a timeline of all ranks goes; empty: none
  bool json_to_stdout = false;  // a line of JSON per event, see report::EventLog; for a console that is mute
};

// Returns the exit code: 0, or 130 or 143 where a signal ended it and the state is saved. Throws
// CollectiveError. Collective.
int train(Job& job, const TrainArguments& arguments);

}  // namespace lockstep::run
