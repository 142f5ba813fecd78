// Ends a process that no longer moves, so that no job hangs: a collective waits for ever when a rank is
// stopped or cut off.
//
// Each rank's watchdog is a thread. It writes a heartbeat file, rank-N in a folder that all ranks see, and
// when its own rank has not moved for the time given, it reads the others': one whose file no longer changes
// is the one that is missed. One rank says so in a line, and all end with ExitCode::kRank.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>

namespace lockstep {

enum class Phase { kSetUp, kForwardAndBackward, kReduction, kUpdate, kEvaluation, kWriting };

// This process moves: it enters a phase of step `step` (1, 2, ...). Cheap; from any thread.
void note_progress(Phase phase, std::size_t step);
// The same in the step as before.
void note_progress(Phase phase);

class Watchdog {
 public:
  struct Options {
    double seconds = 60.0;  // without progress, tenfold during the set-up; 0: for ever
    int rank = 0, ranks = 1;
    std::string host;
    std::filesystem::path
        folder;  // of heartbeat files; empty: there are none, and each rank speaks for itself
  };
  explicit Watchdog(const Options& options);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  // Takes the heartbeat file away.
  ~Watchdog();

 private:
  std::jthread thread_;
};

}  // namespace lockstep
