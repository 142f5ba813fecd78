#include "kills.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include "processes.h"
#include "watch.h"

namespace lockstep::chaos {
namespace {

using program::is_alive;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

double uniform(std::mt19937_64& random, double end) {
  return std::uniform_real_distribution<double>(0.0, end)(random);
}

// Waits until a random checkpoint's file is made, and a little longer. False where the job is done before.
bool wait_for_a_write(const program::Running& job, Watch& watch, std::mt19937_64& random) {
  for (std::size_t left = 1 + random() % 30; left > 0;) {
    if (watch.made(20))
      --left;
    else if (!is_alive(job.id()))
      return false;
  }
  const auto end = Clock::now() + Seconds(uniform(random, 0.002));
  while (Clock::now() < end) {
  }
  return true;
}

}  // namespace

const char* name(Kill kill) {
  switch (kill) {
    case Kill::kRank:
      return "kill -9 of a rank";
    case Kill::kAllRanks:
      return "kill -9 of all ranks";
    case Kill::kMpirun:
      return "kill -9 of mpirun";
    case Kill::kWhileWriting:
      return "kill -9 in a checkpoint's write";
    case Kill::kAndCut:
      return "kill -9, newest file cut in half";
    case Kill::kTerminate:
      return "SIGTERM to a rank";
    case Kill::kInterrupt:
      return "SIGINT to a rank";
    case Kill::kUsr1:
      return "SIGUSR1 to all ranks";
  }
  return "?";
}

bool disturb(Kill kill, const program::Running& job, const std::filesystem::path& checkpoints, double seconds,
             std::mt19937_64& random, std::vector<pid_t>& ranks) {
  if (kill == Kill::kWhileWriting) {
    std::filesystem::create_directories(checkpoints);
    Watch watch(checkpoints);
    if (!wait_for_a_write(job, watch, random)) return false;
  } else {
    std::this_thread::sleep_for(Seconds(uniform(random, seconds)));
  }
  while ((ranks = program::ranks_below(job.id())).empty()) {
    if (!is_alive(job.id())) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const pid_t one = ranks[random() % ranks.size()];
  const auto all = [&](int signal) {
    for (const pid_t rank : ranks) ::kill(rank, signal);
  };
  switch (kill) {
    case Kill::kRank:
    case Kill::kAndCut:
      ::kill(one, SIGKILL);
      break;
    case Kill::kAllRanks:
      all(SIGKILL);
      break;
    case Kill::kMpirun:
      ::kill(ranks[0] == job.id() ? job.id() : program::parent_of(ranks[0]), SIGKILL);
      break;
    case Kill::kWhileWriting:
      ::kill(ranks[0], SIGKILL);
      break;
    case Kill::kTerminate:
      ::kill(one, SIGTERM);
      break;
    case Kill::kInterrupt:
      ::kill(one, SIGINT);
      break;
    case Kill::kUsr1:
      all(SIGUSR1);
      break;
  }
  return true;
}

}  // namespace lockstep::chaos
