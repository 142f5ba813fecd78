// What a command is given to work with: the ranks of the job, what may be said to a person, and how it is
// followed and ended from outside.
#pragma once

#include <filesystem>
#include <optional>

#include "comm/communicator.h"
#include "liveness/supervision.h"
#include "liveness/watchdog.h"
#include "report/console.h"

namespace lockstep::run {

class Job {
 public:
  // All that is referred to must outlive it. world: all ranks; self: this rank alone; console: prints on rank
  // 0 alone; signals: null where nothing asks the job to stop; on_hang: what to do where nothing moves any
  // more, none where nobody watches.
  Job(const comm::Communicator& world_ranks, const comm::Communicator& this_rank, report::Console& output,
      const liveness::StopSignals* signals = nullptr, liveness::Watchdog::OnHang on_hang = {})
      : world(world_ranks),
        self(this_rank),
        console(output),
        signals_(signals),
        on_hang_(std::move(on_hang)) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job();

  const comm::Communicator& world;
  const comm::Communicator& self;
  report::Console& console;
  liveness::Progress progress;

  liveness::Supervision supervision() { return {&progress, signals_}; }

  // From now on a watchdog looks after this rank, of so many seconds (see liveness::Watchdog), with
  // heartbeats in a folder that all ranks see; another call replaces it. Without a folder ranks on one host
  // get one of their own for temporary files, and those on several hosts speak for themselves. Collective.
  void watch(double seconds, const std::filesystem::path& folder = {});

  // Throws CollectiveError, exit code 130 or 143, where a signal asks a rank to stop. Collective.
  void stop_if_asked(const std::string& when) const;

 private:
  void end_watch();

  const liveness::StopSignals* signals_;
  liveness::Watchdog::OnHang on_hang_;
  std::optional<liveness::Watchdog> watchdog_;
  std::filesystem::path heartbeats_;  // their folder
  bool temporary_ = false;            // one for temporary files
};

}  // namespace lockstep::run
