// Who keeps a job from moving, told from the heartbeats of its ranks.
#pragma once

#include <string>

#include "liveness/heartbeat.h"

namespace lockstep::liveness {

struct Diagnosis {
  int speaker = 0;      // the rank that tells: the first that is alive
  std::string missing;  // "rank 2 on h1, at step 7 in reduction, has stopped or cannot be reached"
  bool may_be_a_disk =
      false;  // all are alive, and the disk of one that reads or writes files may just be slow
};

// before, after: the heartbeats of all ranks, some beats apart; own: this rank, which is alive.
//
// Missing are the ranks whose heartbeats have ended. Where there are none, those on the host that the others'
// packets do not reach: most ranks get no answer from its address, or else the first that gets none
// somewhere. And where the network carries what is sent, the rank that is furthest behind.
Diagnosis diagnose(const Heartbeats& before, const Heartbeats& after, int own);

}  // namespace lockstep::liveness
