// When this process does what: spans of time by activity. Summed up they are columns of metrics.csv; kept,
// they are the trace that --trace writes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep {

enum class Activity {
  kGather,   // samples into a batch
  kForward,  // with the loss
  kBackward,
  kWait,      // until the other ranks are done with theirs
  kTransfer,  // for what is left of the gradients' sum then
  kUpdate,
  kBucket,  // a part of the gradients under way, beside all of the above
  kEvaluation,
  kCheckpoint,  // what training waits for it
};
inline constexpr std::size_t kActivities = 9;
const char* name(Activity activity);

// Nanoseconds of the steady clock.
std::int64_t nanoseconds_now();

// One span of time.
struct TimelineEvent {
  Activity activity;
  std::uint32_t number;     // of the step, 1, 2, ...; of a bucket: which
  std::int64_t begin, end;  // nanoseconds_now
};

// Notes a span that is over. From any thread.
void note_span(const TimelineEvent& event);

// Notes the span from its construction to its end.
class Span {
 public:
  Span(Activity activity, std::size_t number)
      : event_{activity, static_cast<std::uint32_t>(number), nanoseconds_now(), 0} {}
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  ~Span() {
    event_.end = nanoseconds_now();
    note_span(event_);
  }

 private:
  TimelineEvent event_;
};

// Seconds in each activity since the process began.
std::array<double, kActivities> seconds_by_activity();

// From now on spans are kept, the first `most` of them.
void keep_timeline(std::size_t most);
std::vector<TimelineEvent> kept_timeline();

}  // namespace lockstep
