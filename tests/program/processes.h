// The processes of a job that runs beside the test: its ranks and its launcher.
#pragma once

#include <sys/types.h>

#include <vector>

namespace lockstep::program {

// Processes of the built program among `id` and those below it; under mpirun, the job's ranks.
std::vector<pid_t> ranks_below(pid_t id);
// The process that started it: of a rank, mpirun. 0 where there is none any more.
pid_t parent_of(pid_t id);

bool is_alive(pid_t id);
// Waits until all have ended, by themselves. A test in which that takes longer than 20 s fails, and ends
// them.
void wait_until_gone(const std::vector<pid_t>& ids);

}  // namespace lockstep::program
