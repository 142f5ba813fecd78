#include "comm/start.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>

#include "base/error.h"
#include "comm/communicator.h"

namespace lockstep::comm {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// By the variables in which each tells its processes how many they are, and which of them this is.
struct Starter {
  const char *size, *rank, *name;
};
constexpr Starter kStarters[] = {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun"},
                                 {"PMI_SIZE", "PMI_RANK", "mpirun"},
                                 {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun"}};

// Before MPI tells it; 0 where there is no starter.
std::string rank_told() {
  for (const Starter& starter : kStarters)
    if (const std::string rank = variable(starter.rank); !rank.empty()) return rank;
  return "0";
}

}  // namespace

std::optional<Started> how_started() {
  for (const Starter& starter : kStarters) {
    const int processes = std::atoi(variable(starter.size).c_str());
    if (processes >= 1 && !variable(starter.rank).empty()) return Started{starter.name, processes};
  }
  return std::nullopt;
}

StartLimit::StartLimit(double seconds)
    : thread_([seconds](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        for (double waited = 0.0; waited < seconds; ++waited)  // by turns: a stopped process makes none
          if (wake.wait_for(lock, stop, std::chrono::seconds(1), [&] { return stop.stop_requested(); }))
            return;
        const std::string line =
            fmt::format("lockstep: rank {} on {}: MPI has not started within {:g} s, expected all ranks to\n",
                        rank_told(), host_name(), seconds);
        [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
        ::_exit(static_cast<int>(ExitCode::kRank));
      }) {}

bool others_may_read_memory() {
  std::ifstream map("/proc/self/uid_map");
  std::uint32_t inside = 0, outside = 0, count = 0;
  const bool first_namespace =
      map >> inside >> outside >> count && inside == 0 && outside == 0 && count == UINT32_MAX;
  char byte = 1, copy = 0;
  const iovec from{&byte, 1}, to{&copy, 1};
  return first_namespace && ::prctl(PR_GET_DUMPABLE) == 1 &&
         ::process_vm_readv(::getpid(), &to, 1, &from, 1, 0) == 1;
}

bool speaks_for_siblings() {
  // A name without a file, gone with its process: the first to take it speaks.
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = fmt::format("lockstep-children-of-{}", ::getppid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;  // better twice than not at all
  const bool first =
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 || errno != EADDRINUSE;
  ::usleep(1'000'000);
  ::close(fd);
  return first;
}

}  // namespace lockstep::comm
