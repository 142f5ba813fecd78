#include "comm/start.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/error.h"
#include "comm/communicator.h"

namespace lockstep::comm {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::optional<Started> how_started() {
  const auto told = [](const char* size, const char* rank, const char* by) -> std::optional<Started> {
    const int processes = std::atoi(variable(size).c_str());
    if (processes < 1 || variable(rank).empty()) return std::nullopt;
    return Started{by, processes};
  };
  if (const auto found = told("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun")) return found;
  if (const auto found = told("PMI_SIZE", "PMI_RANK", "mpirun")) return found;
  return told("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun");
}

StartLimit::StartLimit(double seconds)
    : thread_([seconds](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        for (double waited = 0.0; waited < seconds; ++waited)  // by turns: a stopped process makes none
          if (wake.wait_for(lock, stop, std::chrono::seconds(1), [&] { return stop.stop_requested(); }))
            return;
        const std::string rank = variable("OMPI_COMM_WORLD_RANK");
        const std::string line =
            fmt::format("lockstep: rank {} on {}: MPI has not started within {:g} s, expected all ranks to\n",
                        rank.empty() ? "0" : rank, host_name(), seconds);
        [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
        ::_exit(static_cast<int>(ExitCode::kRank));
      }) {}

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
