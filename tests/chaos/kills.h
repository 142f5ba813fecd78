// The ways in which a job is disturbed.
#pragma once

#include <sys/types.h>

#include <array>
#include <filesystem>
#include <random>
#include <vector>

#include "process.h"

namespace lockstep::chaos {

enum class Kill {
  kRank,          // SIGKILL to one rank
  kAllRanks,      // SIGKILL to every rank
  kMpirun,        // SIGKILL to mpirun, whose ranks notice it later
  kWhileWriting,  // SIGKILL to rank 0 while it writes a checkpoint
  kAndCut,        // SIGKILL to one rank; then the newest checkpoint is cut in half
  kTerminate,     // SIGTERM to one rank
  kInterrupt,     // SIGINT to one rank
  kUsr1,          // SIGUSR1 to every rank
};
inline constexpr std::array kKills = {Kill::kRank,   Kill::kAllRanks,  Kill::kMpirun,    Kill::kWhileWriting,
                                      Kill::kAndCut, Kill::kTerminate, Kill::kInterrupt, Kill::kUsr1};
const char* name(Kill kill);

// Disturbs a job at a random moment within so many seconds. False where it was done before. ranks: what it
// has run on.
bool disturb(Kill kill, const program::Running& job, const std::filesystem::path& checkpoints, double seconds,
             std::mt19937_64& random, std::vector<pid_t>& ranks);

}  // namespace lockstep::chaos
