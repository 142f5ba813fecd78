// What a run does, how far it is, and what its time goes into. The watchdog reads the first two; spans of
// time, summed up by activity, are columns of metrics.csv, and kept they are the trace that --trace writes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/clock.h"

namespace lockstep::liveness {

// In the order in which a step goes through them.
enum class Activity {
  kSetUp,
  kGather,   // samples into a batch
  kForward,  // with the loss
  kBackward,
  kWait,      // until the other ranks are done with theirs
  kTransfer,  // for what is left of the gradients' sum then
  kUpdate,
  kEvaluation,
  kWriting,      // files
  kCheckpoint,   // what training waits for it
  kOtherGroups,  // waits until other groups of ranks are done with work of their own
  kBucket,       // a part of the gradients under way, beside all of the above
};
inline constexpr std::size_t kActivities = 12;
// A word, for the trace.
const char* name(Activity activity);

// Activities in what a person is told: "set-up", "forward and backward" (kGather to kBackward), "reduction"
// (kWait and kTransfer), "update", "evaluation", "writing" (kWriting and kCheckpoint), "waiting for other
// groups".
const char* phase_name(Activity activity);
// The first activity of the same phase.
Activity phase_of(Activity activity);

// One span of time.
struct TimelineEvent {
  Activity activity;
  std::uint32_t number;     // of the step, 1, 2, ...; of a bucket: which
  std::int64_t begin, end;  // nanoseconds_now
};

// All members may be called from any thread.
class Progress {
 public:
  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // The process moves: it begins an activity of step `step` (1, 2, ...), or of the same step as before.
  // Cheap.
  void enter(Activity activity, std::size_t step);
  void enter(Activity activity);
  // It moves, in the activity that it is in.
  void move() { ++moves_; }

  struct Place {
    Activity activity = Activity::kSetUp;
    std::size_t step = 0;
    std::size_t moves = 0;  // how often it has moved
  };
  Place place() const { return {activity_, step_, moves_}; }

  // Notes a span that is over.
  void add(const TimelineEvent& event);
  // Seconds in each activity so far.
  std::array<double, kActivities> seconds() const;
  // From now on spans are kept, the first `max` of them.
  void keep(std::size_t max);
  std::vector<TimelineEvent> kept() const;

 private:
  std::atomic<Activity> activity_ = Activity::kSetUp;
  std::atomic<std::size_t> step_ = 0, moves_ = 0;
  mutable std::mutex mutex_;  // of the following
  std::array<std::int64_t, kActivities> nanoseconds_{};
  std::vector<TimelineEvent> kept_;
  std::size_t max_kept_ = 0;
};

// The following do nothing where `progress` is null.

void enter(Progress* progress, Activity activity);
inline void move(Progress* progress) {
  if (progress != nullptr) progress->move();
}

// Enters an activity, and notes the time from its construction to its end. The run stays in the activity
// until it enters another.
class Span {
 public:
  Span(Progress* progress, Activity activity, std::size_t step);
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  ~Span();

 private:
  Progress* progress_;
  TimelineEvent event_;
};

// The run writes files as long as the object lives; then it is in the activity that it was in before.
class Writing {
 public:
  explicit Writing(Progress* progress);
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() { enter(progress_, before_); }

 private:
  Progress* progress_;
  Activity before_;
};

}  // namespace lockstep::liveness
