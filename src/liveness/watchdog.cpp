#include "liveness/watchdog.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

#include "liveness/diagnosis.h"
#include "liveness/launcher.h"
#include "liveness/network.h"

namespace lockstep::liveness {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

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
  Thread(const Watchdog::Options& options, const Progress& progress, Watchdog::OnHang on_hang)
      : options_(options),
        progress_(progress),
        on_hang_(std::move(on_hang)),
        interval_(std::clamp(options.seconds / 40.0, 0.02, 2.0)),
        limit_(Watchdog::limit(options.seconds)) {}

  void run(const std::stop_token& stop) {
    if (options_.rank == 0 && !options_.folder.empty()) fs::remove(claim_file(options_.folder), ignored_);
    while (beat_and_sleep(stop)) {
      const Activity phase = phase_of(progress_.place().activity);
      const bool patient = phase == Activity::kSetUp || phase == Activity::kWriting;
      const double limit = (patient ? kPatience : 1.0) * limit_ - kBeatsToTell * interval_;
      if (options_.seconds > 0.0 && waited_ > limit && hangs(stop)) return;
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
    if (const std::size_t now = moves(); now != seen_) {
      seen_ = now;
      waited_ = 0.0;
    }
    return !stopped;
  }

  // This rank's; those of all ranks while it waits for others that work on something of their own.
  std::size_t moves() const {
    const Progress::Place place = progress_.place();
    if (place.activity != Activity::kOtherGroups) return place.moves;
    std::size_t sum = 0;
    for (const auto& heartbeat : heartbeats()) sum += heartbeat ? heartbeat->moves : 0;
    return sum;
  }

  Heartbeat mine() const {
    const Progress::Place place = progress_.place();
    return {.beat = beats_,
            .step = place.step,
            .host = options_.host,
            .phase = phase_of(place.activity),
            .addresses = own_addresses(),
            .unanswered = unanswered_addresses(),
            .moves = place.moves};
  }

  Heartbeats heartbeats() const {
    Heartbeats all(static_cast<std::size_t>(options_.ranks));
    if (!options_.folder.empty()) all = read_heartbeats(options_.folder, options_.ranks);
    all[static_cast<std::size_t>(options_.rank)] = mine();
    return all;
  }

  // Whether it is so even now, when the others have been looked at; then one rank has said it.
  bool hangs(const std::stop_token& stop) {
    const std::size_t seen = seen_;
    const Heartbeats before = heartbeats();
    for (int i = 0; i < kBeatsToTell; ++i)
      if (!beat_and_sleep(stop) || seen != seen_) return false;
    if (options_.folder.empty()) {
      const Heartbeat own = mine();
      on_hang_(line_of(fmt::format("rank {} on {}, at step {} in {}, hangs", options_.rank, own.host,
                                   own.step, phase_name(own.phase))));
      return true;
    }
    const Diagnosis diagnosis = diagnose(before, heartbeats(), options_.rank);
    if (diagnosis.may_be_a_disk && waited_ < kPatience * limit_) return false;
    // The launcher ends all when one has ended: the speaker first.
    if (diagnosis.speaker != options_.rank) std::this_thread::sleep_for(Seconds(2.0));
    on_hang_(claim(options_.folder) ? line_of(diagnosis.missing) : "");
    return true;
  }

  std::string line_of(const std::string& missing) const {
    return fmt::format("{}: nothing has moved for {:.1f} s (run.watchdog_seconds is {:g})", missing, waited_,
                       options_.seconds);
  }

  Watchdog::Options options_;
  const Progress& progress_;
  Watchdog::OnHang on_hang_;
  double interval_;  // seconds between heartbeats
  double limit_;     // seconds without progress after which the process ends
  std::size_t beats_ = 0;
  std::size_t seen_ = 0;
  double waited_ = 0.0;  // seconds since this rank has moved
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::error_code ignored_;
};

}  // namespace

Watchdog::Watchdog(const Options& options, const Progress& progress, OnHang on_hang)
    : file_(options.folder.empty() ? fs::path() : heartbeat_file(options.folder, options.rank)),
      thread_([options, &progress, on_hang = std::move(on_hang)](const std::stop_token& stop) {
        std::error_code ignored;
        if (!options.folder.empty()) fs::create_directories(options.folder, ignored);
        Thread(options, progress, on_hang).run(stop);
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
