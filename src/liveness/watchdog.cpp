#include "liveness/watchdog.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>

#include "base/error.h"
#include "liveness/diagnosis.h"
#include "liveness/launcher.h"
#include "liveness/network.h"

namespace lockstep::liveness {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

std::atomic<Phase> current_phase = Phase::kSetUp;
std::atomic<std::size_t> current_step = 0;
std::atomic<std::size_t> moves = 0;

// The speaker makes this file in the heartbeats' folder: there is one line, also where ranks disagree on who
// speaks.
fs::path claim_file(const fs::path& folder) { return folder / "spoken"; }

bool claim(const fs::path& folder) {
  const int fd = ::open(claim_file(folder).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return errno != EEXIST;  // better twice than not at all
  ::close(fd);
  return true;
}

class Thread {
 public:
  Thread(const Watchdog::Options& options, double limit)
      : options_(options), interval_(std::clamp(options.seconds / 40.0, 0.02, 2.0)), limit_(limit) {}

  void run(const std::stop_token& stop) {
    if (options_.rank == 0 && !options_.folder.empty()) fs::remove(claim_file(options_.folder), ignored_);
    while (beat_and_sleep(stop)) {
      const Phase phase = current_phase;
      const bool patient = phase == Phase::kSetUp || phase == Phase::kWriting;
      const double limit = (patient ? kPatience : 1.0) * limit_ - kBeatsToTell * interval_;
      if (options_.seconds > 0.0 && waited_ > limit) end(stop);
    }
  }

 private:
  static constexpr int kBeatsToTell = 4;     // a rank that has not beaten in that time is missed
  static constexpr double kPatience = 10.0;  // with files, which may be on a slow disk
  static constexpr double kLateBeat = 1.0;   // seconds; in a longer break this process was stopped (Ctrl-Z)

  // Counts the time since this rank has moved. False when asked to stop.
  bool beat_and_sleep(const std::stop_token& stop) {
    ++beats_;
    const auto begin = Clock::now();
    if (!options_.folder.empty()) write_heartbeat(heartbeat_file(options_.folder, options_.rank), mine());
    std::unique_lock lock(mutex_);
    const bool stopped =
        wake_.wait_for(lock, stop, Seconds(interval_), [&] { return stop.stop_requested(); });
    waited_ += std::min(Seconds(Clock::now() - begin).count(), interval_ + kLateBeat);
    if (const std::size_t now = moves; now != seen_) {
      seen_ = now;
      waited_ = 0.0;
    }
    return !stopped;
  }

  Heartbeat mine() const {
    return {.beat = beats_,
            .step = current_step,
            .host = options_.host,
            .phase = current_phase,
            .addresses = own_addresses(),
            .unanswered = unanswered_addresses()};
  }

  Heartbeats heartbeats() const {
    Heartbeats all(static_cast<std::size_t>(options_.ranks));
    if (!options_.folder.empty()) all = read_heartbeats(options_.folder, options_.ranks);
    all[static_cast<std::size_t>(options_.rank)] = mine();
    return all;
  }

  // One rank's line, and the end of this process, unless it moves after all.
  void end(const std::stop_token& stop) {
    const std::size_t seen = seen_;
    const Heartbeats before = heartbeats();
    for (int i = 0; i < kBeatsToTell; ++i)
      if (!beat_and_sleep(stop) || seen != seen_) return;
    if (options_.folder.empty()) {
      const Heartbeat own = mine();
      say(fmt::format("rank {} on {}, at step {} in {}, hangs", options_.rank, own.host, own.step,
                      name(own.phase)));
    } else {
      const Diagnosis diagnosis = diagnose(before, heartbeats(), options_.rank);
      if (diagnosis.writes && waited_ < kPatience * limit_) return;
      // The launcher ends all when one has ended: the speaker first.
      if (diagnosis.speaker != options_.rank) std::this_thread::sleep_for(Seconds(2.0));
      if (claim(options_.folder)) say(diagnosis.missing);
    }
    ::_exit(static_cast<int>(ExitCode::kRank));
  }

  void say(const std::string& missing) const {
    const std::string line =
        fmt::format("lockstep: {}: nothing has moved for {:.1f} s (run.watchdog_seconds is {:g})\n", missing,
                    waited_, options_.seconds);
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, line.data(), line.size());
  }

  Watchdog::Options options_;
  double interval_;  // seconds between heartbeats
  double limit_;     // seconds without progress after which the process ends
  std::size_t beats_ = 0;
  std::size_t seen_ = moves;
  double waited_ = 0.0;  // seconds since this rank has moved
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::error_code ignored_;
};

}  // namespace

void note_progress(Phase phase, std::size_t step) {
  current_step = step;
  note_progress(phase);
}

void note_progress(Phase phase) {
  current_phase = phase;
  ++moves;
}

WritingPhase::WritingPhase() : before_(current_phase) { note_progress(Phase::kWriting); }

Watchdog::Watchdog(const Options& options)
    : file_(options.folder.empty() ? fs::path() : heartbeat_file(options.folder, options.rank)),
      thread_([options](const std::stop_token& stop) {
        std::error_code ignored;
        if (!options.folder.empty()) fs::create_directories(options.folder, ignored);
        Thread(options, limit(options.seconds)).run(stop);
      }) {
  if (options.rank == 0)
    tell_launcher(
        fmt::format("watched {} {} {}", options.seconds, limit(options.seconds), options.folder.string()));
}

Watchdog::~Watchdog() {
  thread_.request_stop();
  thread_.join();
  std::error_code ignored;
  if (!file_.empty() && std::uncaught_exceptions() == 0) fs::remove(file_, ignored);
}

}  // namespace lockstep::liveness
