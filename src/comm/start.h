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

// True for one of the processes that have the same parent, such as those that srun started on one host, and
// are here within a second.
bool speaks_for_siblings();

}  // namespace lockstep::comm
