// Signals that ask a run to stop: SIGINT, SIGTERM, SIGHUP, which comes when a terminal closes, and SIGUSR1,
// which Slurm and launchers send ahead of the end.
#pragma once

namespace lockstep::liveness {

// From now on such a signal is noted. A second SIGINT or SIGTERM, two tenths of a second after the first
// signal or later, ends the process at once, with exit code 128 + its number; the others may come again and
// again. One that is ignored, as nohup has it, stays so.
void note_signals();

// The first signal noted, or 0.
int requested_signal();

}  // namespace lockstep::liveness
