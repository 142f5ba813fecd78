#include "base/watchdog.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <vector>

#include "base/error.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

std::atomic<int> current_phase = static_cast<int>(Phase::kSetUp);
std::atomic<std::size_t> current_step = 0;
std::atomic<std::size_t> moves = 0;

const char* name(int phase) {
  constexpr const char* kNames[] = {"set-up", "forward and backward", "reduction",
                                    "update", "evaluation",           "writing"};
  return phase >= 0 && phase < 6 ? kNames[phase] : "?";
}

// What a heartbeat file says: "BEAT MOVES STEP HOST PHASE", the phase in words.
struct Heartbeat {
  std::size_t beat = 0;   // grows as long as the process runs
  std::size_t moves = 0;  // grows as long as it gets anywhere
  std::size_t step = 0;
  std::string host, phase;
};

fs::path file_of(const fs::path& folder, int rank) { return folder / fmt::format("rank-{}", rank); }

void write(const fs::path& path, const Heartbeat& heartbeat) {
  constexpr std::size_t kLength =
      200;  // the same for all: a shorter line must not leave the end of a longer one
  std::string line = fmt::format("{} {} {} {} {}", heartbeat.beat, heartbeat.moves, heartbeat.step,
                                 heartbeat.host, heartbeat.phase);
  line.resize(kLength, ' ');
  line.back() = '\n';
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return;  // a watchdog without files still ends its own process
  [[maybe_unused]] const auto ignored = ::pwrite(fd, line.data(), line.size(), 0);
  ::close(fd);
}

std::optional<Heartbeat> read(const fs::path& path) {
  std::ifstream file(path);
  Heartbeat heartbeat;
  if (!(file >> heartbeat.beat >> heartbeat.moves >> heartbeat.step >> heartbeat.host >> std::ws) ||
      !std::getline(file, heartbeat.phase))
    return std::nullopt;
  heartbeat.phase.erase(heartbeat.phase.find_last_not_of(' ') + 1);
  return heartbeat;
}

std::vector<std::optional<Heartbeat>> read_all(const Watchdog::Options& options) {
  std::vector<std::optional<Heartbeat>> all;
  for (int rank = 0; rank < options.ranks; ++rank) all.push_back(read(file_of(options.folder, rank)));
  return all;
}

class Thread {
 public:
  explicit Thread(Watchdog::Options options)
      : options_(std::move(options)), interval_(std::clamp(options_.seconds / 20.0, 0.02, 2.0)) {}

  void run(const std::stop_token& stop) {
    std::size_t seen = moves;
    auto moved_at = Clock::now();
    while (beat_and_sleep(stop)) {
      if (seen != moves) {
        seen = moves;
        moved_at = Clock::now();
      }
      // The diagnosis takes four intervals, the launcher up to a second: both are part of the time.
      const bool setting_up = current_phase == static_cast<int>(Phase::kSetUp);
      const double limit = (setting_up ? 10.0 : 1.0) * options_.seconds - 4.0 * interval_ -
                           std::min(1.0, options_.seconds / 10.0);
      if (options_.seconds > 0.0 && Seconds(Clock::now() - moved_at).count() > limit) end(stop);
    }
    std::error_code ignored;
    fs::remove(file_of(options_.folder, options_.rank), ignored);
  }

 private:
  // False when asked to stop.
  bool beat_and_sleep(const std::stop_token& stop) {
    ++beats_;
    if (!options_.folder.empty()) write(file_of(options_.folder, options_.rank), mine());
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, stop, Seconds(interval_), [&] { return stop.stop_requested(); });
  }

  Heartbeat mine() const { return {beats_, moves, current_step, options_.host, name(current_phase)}; }

  // One rank's line, and the end of this process, unless it moves after all.
  void end(const std::stop_token& stop) {
    const std::size_t seen = moves;
    const auto before = read_all(options_);
    for (int i = 0; i < 3; ++i)
      if (!beat_and_sleep(stop) || seen != moves) return;
    const auto after = read_all(options_);
    const auto alive = [&](int rank) {
      const auto r = static_cast<std::size_t>(rank);
      return rank == options_.rank || (before[r] && after[r] && before[r]->beat != after[r]->beat);
    };
    int speaker = options_.rank, missed = options_.rank;
    if (!options_.folder.empty())
      for (speaker = 0; !alive(speaker);) ++speaker;
    bool stopped = false;
    for (int rank = options_.folder.empty() ? -1 : options_.ranks - 1; rank >= 0; --rank) {
      const auto& heartbeat = after[static_cast<std::size_t>(rank)];
      if (!alive(rank)) {
        missed = rank;
        stopped = true;
      } else if (!stopped && heartbeat && heartbeat->moves < moves_of(after, missed)) {
        missed = rank;
      }
    }
    if (speaker == options_.rank) {
      report(missed == options_.rank ? mine() : after[static_cast<std::size_t>(missed)], missed, stopped);
    } else {  // the launcher ends all when one has ended: the speaker first
      std::this_thread::sleep_for(Seconds(2.0));
    }
    ::_exit(static_cast<int>(ExitCode::kRank));
  }

  static std::size_t moves_of(const std::vector<std::optional<Heartbeat>>& all, int rank) {
    const auto& heartbeat = all[static_cast<std::size_t>(rank)];
    return heartbeat ? heartbeat->moves : 0;
  }

  void report(const std::optional<Heartbeat>& heartbeat, int rank, bool stopped) const {
    const std::string place = heartbeat ? fmt::format(" on {}, at step {} in {}", heartbeat->host,
                                                      heartbeat->step, heartbeat->phase)
                                        : "";
    const std::string line =
        fmt::format("lockstep: rank {}{}, {}: no progress for {:g} s (run.watchdog_seconds)\n", rank, place,
                    stopped ? "has stopped or cannot be reached" : "hangs", options_.seconds);
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
  }

  Watchdog::Options options_;
  double interval_;  // seconds between heartbeats
  std::size_t beats_ = 0;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

}  // namespace

void note_progress(Phase phase, std::size_t step) {
  current_step = step;
  note_progress(phase);
}

void note_progress(Phase phase) {
  current_phase = static_cast<int>(phase);
  ++moves;
}

Watchdog::Watchdog(const Options& options)
    : thread_([options](const std::stop_token& stop) {
        std::error_code ignored;
        if (!options.folder.empty()) fs::create_directories(options.folder, ignored);
        Thread(options).run(stop);
      }) {}

Watchdog::~Watchdog() = default;

}  // namespace lockstep
