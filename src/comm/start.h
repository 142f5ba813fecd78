// How this process was started, by what the environment says, and a limit for the time until MPI is there.
#pragma once

#include <optional>
#include <string>
#include <thread>

namespace lockstep::comm {

// What started this process, and as one of how many.
struct Started {
  std::string by;  // "srun", "mpirun"
  int processes = 1;
};

// Open MPI's mpirun, other MPIs' (PMI_SIZE), and srun, in this order: each of them hides the next. Nothing
// where none says.
std::optional<Started> how_started();

// Ends the process with ExitCode::kRank and a line unless it is destroyed within so many seconds. Time for
// which the process was stopped does not count.
class StartLimit {
 public:
  explicit StartLimit(double seconds);

 private:
  std::jthread thread_;
};

// Whether other processes of the same user may read this one's memory, as far as it can tell by itself: not
// from another user namespace than theirs (containers have their own), not where system calls for that are
// filtered, and not where the program is one that its user may run but not read.
bool others_may_read_memory();

// True for one of the processes that have the same parent, such as those that srun started on one host, and
// are here within a second.
bool speaks_for_siblings();

}  // namespace lockstep::comm
