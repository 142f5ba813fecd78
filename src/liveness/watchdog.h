// Notices that a process no longer moves, so that no job hangs: a collective waits for ever when a rank is
// stopped or cut off.
//
// Each rank's watchdog is a thread. It writes a heartbeat file in a folder that all ranks see, and when its
// own rank has not moved for a time, it reads the others' and finds out who is missed. What is done then is
// its owner's: one rank is given a line to say, and all are to end with ExitCode::kRank.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "liveness/heartbeat.h"
#include "liveness/progress.h"

namespace lockstep::liveness {

class Watchdog {
 public:
  struct Options {
    // When nothing moves the job is over after so long, tenfold during the set-up and while a rank writes;
    // 0: never. Time for which the process was stopped does not count. The ranks give up earlier, at two
    // fifths of that time or 11 s before its end: then mpirun and launch/run end everything.
    double seconds = 60.0;
    int rank = 0, ranks = 1;
    std::string host;
    std::filesystem::path
        folder;  // of heartbeat files; empty: there are none, and each rank speaks for itself
  };
  // The time that the ranks grant without progress, of so many seconds.
  static double limit(double seconds) { return std::max(0.4 * seconds, seconds - 11.0); }

  // Called once, from the watchdog's thread, when nothing moves any more: with what to say, or "" where
  // another rank says it.
  using OnHang = std::function<void(const std::string& line)>;

  // Tells launch/run of itself. progress must outlive it.
  Watchdog(const Options& options, const Progress& progress, OnHang on_hang);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  // Takes the heartbeat file away, but where an error ends the run: launch/run reads there how far this rank
  // was.
  ~Watchdog();

 private:
  std::filesystem::path file_;  // of heartbeats
  std::jthread thread_;
};

}  // namespace lockstep::liveness
