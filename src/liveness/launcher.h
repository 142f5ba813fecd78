// What a job tells launch/run, which started it: how far it is, and how patient to be with it.
#pragma once

#include <string>

namespace lockstep::liveness {

// Writes the line "lockstep: launcher: TEXT" to stderr where launch/run asks for it, by LOCKSTEP_LAUNCHER=1
// in the environment, and takes it out again; elsewhere does nothing. For rank 0. The texts:
// - "started": MPI is there.
// - "watched SECONDS LIMIT FOLDER": a watchdog begins, with run.watchdog_seconds, the seconds without
// progress
//   that its ranks grant, and the folder of heartbeats, empty if there is none.
// - "finished CODE": this rank has done all, and ends with that code. Open MPI 5 ends with 0 where a host was
//   lost, too, and MPICH's mpirun now and then whatever ranks end with.
void tell_launcher(const std::string& text);

}  // namespace lockstep::liveness
