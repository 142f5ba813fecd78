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
// Waits until all have ended. False where they had to be ended, after 20 s.
bool wait_until_gone(const std::vector<pid_t>& ids);

// Waits until a disturbed job's process has ended. Open MPI 4.1's mpirun can lock itself up in
// PMIx_server_finalize after a rank was killed: without ranks for 10 s it is ended too, and that is false.
bool wait_for_launcher(pid_t job);

}  // namespace lockstep::program
