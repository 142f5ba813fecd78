#include "run/job.h"

#include <system_error>

#include "run/temporary_folder.h"
#include "train/stop_requests.h"

namespace lockstep::run {

namespace fs = std::filesystem;

namespace {

// A folder for temporary files of ranks that are all on one host; "" where there is none. Collective.
fs::path temporary_folder(const comm::Communicator& world) {
  if (world.size() == 1 || !world.on_one_host()) return {};
  std::string folder;
  if (world.rank() == 0) folder = make_temporary_folder("lockstep-heartbeats");
  world.broadcast(folder, 0);
  return folder;
}

}  // namespace

Job::~Job() { end_watch(); }

void Job::watch(double seconds, const fs::path& folder) {
  if (!on_hang_) return;
  end_watch();
  temporary_ = folder.empty();
  heartbeats_ = temporary_ ? temporary_folder(world) : folder;
  watchdog_.emplace(liveness::Watchdog::Options{.seconds = seconds,
                                                .rank = world.rank(),
                                                .ranks = world.size(),
                                                .host = comm::host_name(),
                                                .folder = heartbeats_},
                    progress, on_hang_);
}

void Job::stop_if_asked(const std::string& when) const { train::stop_if_asked(signals_, world, when); }

void Job::end_watch() {
  watchdog_.reset();
  if (heartbeats_.empty()) return;
  std::error_code ignored;
  // After an error the watchdog has left this rank's: in a run folder it says how far the rank was.
  if (temporary_) fs::remove(liveness::heartbeat_file(heartbeats_, world.rank()), ignored);
  fs::remove(heartbeats_, ignored);  // which the last rank does: it is empty then
}

}  // namespace lockstep::run
