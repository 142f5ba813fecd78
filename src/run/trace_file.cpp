#include "run/trace_file.h"

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "base/file.h"
#include "report/trace.h"
#include "run/setup.h"

namespace lockstep::run {
namespace {

constexpr std::size_t kMaxEvents = 1'000'000;  // of each rank: 24 MB

void write(Job& job, const std::string& path, const std::vector<report::RankTimeline>& ranks) {
  job.world.all_or_none([&] {
    if (job.world.rank() != 0) return;
    const liveness::Writing writing_files(&job.progress);
    writing(path, [&] { write_file_atomically(path, report::trace_json(ranks)); });
  });
}

}  // namespace

void begin_trace(Job& job, const std::string& path) {
  write(job, path, {});
  job.progress.keep(kMaxEvents);
}

void write_trace(Job& job, const std::string& path) {
  const comm::Communicator& world = job.world;
  const std::vector<liveness::TimelineEvent> events = job.progress.kept();
  const std::vector<std::int64_t> ahead = world.allgather(world.clock_ahead_of_first());
  const auto bytes = std::as_bytes(std::span(events));
  const std::vector<std::string> of_ranks =
      world.gather({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, 0);
  const std::vector<std::string> hosts = world.gather(comm::host_name(), 0);
  std::vector<report::RankTimeline> ranks(of_ranks.size());
  for (std::size_t r = 0; r < of_ranks.size(); ++r) {
    ranks[r].host = hosts[r];
    ranks[r].clock_ahead = ahead[r];
    ranks[r].events.resize(of_ranks[r].size() / sizeof(liveness::TimelineEvent));
    std::memcpy(ranks[r].events.data(), of_ranks[r].data(), of_ranks[r].size());
  }
  write(job, path, ranks);
  job.console.line(fmt::format("trace of {} ranks written to {}", world.size(), path));
}

}  // namespace lockstep::run
