// Signals that ask a run to stop: SIGINT, SIGTERM, SIGHUP, which comes when a terminal closes, and SIGUSR1,
// which Slurm and launchers send ahead of the end.
#pragma once

#include <signal.h>

#include <array>

namespace lockstep::liveness {

// As long as it lives such a signal is noted, instead of what it does otherwise. A second SIGINT or SIGTERM,
// two tenths of a second after the first signal or later, ends the process at once, with exit code 128 + its
// number; the others may come again and again. One that is ignored, as nohup has it, stays so. One object at
// a time.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  // The first signal noted, or 0.
  int requested() const;

 private:
  static constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace lockstep::liveness
