// Why training should stop, or a command be ended: signals, and the time that it may take.
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.h"
#include "liveness/interruption.h"

namespace lockstep::train {

// How many ranks say so.
struct StopRequests {
  std::int64_t interrupts = 0;    // by SIGINT
  std::int64_t terminations = 0;  // by SIGTERM, SIGHUP or SIGUSR1
  std::int64_t timeouts = 0;      // train.max_seconds are over
  bool by_signal() const { return interrupts + terminations > 0; }
  bool any() const { return by_signal() || timeouts > 0; }
};

// This rank's, from its signals; none where `signals` is null.
StopRequests requests_of(const liveness::StopSignals* signals);

// What ends a command by a signal, where nothing is lost by it: exit code 130 or 143, and "interrupted WHEN".
comm::CollectiveError stopped(const StopRequests& stop, const std::string& when);

// Throws that error on all ranks where a signal asks one of them to stop. Collective.
void stop_if_asked(const liveness::StopSignals* signals, const comm::Communicator& communicator,
                   const std::string& when);

}  // namespace lockstep::train
