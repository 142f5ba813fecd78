#include "base/timeline.h"

#include <chrono>
#include <mutex>

namespace lockstep {
namespace {

std::mutex mutex;
std::array<std::int64_t, kActivities> sums;
std::vector<TimelineEvent> kept;
std::size_t most_kept = 0;

}  // namespace

const char* name(Activity activity) {
  constexpr const char* kNames[kActivities] = {"gather", "forward", "backward",   "wait",      "transfer",
                                               "update", "bucket",  "evaluation", "checkpoint"};
  return kNames[static_cast<std::size_t>(activity)];
}

std::int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void note_span(const TimelineEvent& event) {
  const std::lock_guard lock(mutex);
  sums[static_cast<std::size_t>(event.activity)] += event.end - event.begin;
  if (kept.size() < most_kept) kept.push_back(event);
}

std::array<double, kActivities> seconds_by_activity() {
  const std::lock_guard lock(mutex);
  std::array<double, kActivities> seconds{};
  for (std::size_t a = 0; a < kActivities; ++a) seconds[a] = 1e-9 * static_cast<double>(sums[a]);
  return seconds;
}

void keep_timeline(std::size_t most) {
  const std::lock_guard lock(mutex);
  most_kept = most;
}

std::vector<TimelineEvent> kept_timeline() {
  const std::lock_guard lock(mutex);
  return kept;
}

}  // namespace lockstep
