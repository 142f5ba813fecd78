// What a command is given to work with: the ranks of the job, and what may be said to a person.
#pragma once

#include "comm/communicator.h"
#include "report/console.h"

namespace lockstep::run {

// All that is referred to must outlive it.
struct Job {
  const comm::Communicator& world;  // all ranks
  const comm::Communicator& self;   // this rank alone
  report::Console& console;         // which prints on rank 0 alone
};

}  // namespace lockstep::run
