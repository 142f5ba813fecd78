#include "liveness/progress.h"

namespace lockstep::liveness {
namespace {

struct Names {
  const char *name, *phase;
  Activity first_of_phase;
};
constexpr Names kNames[kActivities] = {
    {"set-up", "set-up", Activity::kSetUp},
    {"gather", "forward and backward", Activity::kGather},
    {"forward", "forward and backward", Activity::kGather},
    {"backward", "forward and backward", Activity::kGather},
    {"wait", "reduction", Activity::kWait},
    {"transfer", "reduction", Activity::kWait},
    {"update", "update", Activity::kUpdate},
    {"evaluation", "evaluation", Activity::kEvaluation},
    {"writing", "writing", Activity::kWriting},
    {"checkpoint", "writing", Activity::kWriting},
    {"other groups", "waiting for other groups", Activity::kOtherGroups},
    {"bucket", "reduction", Activity::kWait},
};

const Names& names_of(Activity activity) { return kNames[static_cast<std::size_t>(activity)]; }

}  // namespace

const char* name(Activity activity) { return names_of(activity).name; }
const char* phase_name(Activity activity) { return names_of(activity).phase; }
Activity phase_of(Activity activity) { return names_of(activity).first_of_phase; }

void Progress::enter(Activity activity, std::size_t step) {
  step_ = step;
  enter(activity);
}

void Progress::enter(Activity activity) {
  activity_ = activity;
  ++moves_;
}

void Progress::add(const TimelineEvent& event) {
  const std::lock_guard lock(mutex_);
  nanoseconds_[static_cast<std::size_t>(event.activity)] += event.end - event.begin;
  if (kept_.size() < max_kept_) kept_.push_back(event);
}

std::array<double, kActivities> Progress::seconds() const {
  const std::lock_guard lock(mutex_);
  std::array<double, kActivities> seconds{};
  for (std::size_t a = 0; a < kActivities; ++a) seconds[a] = 1e-9 * static_cast<double>(nanoseconds_[a]);
  return seconds;
}

void Progress::keep(std::size_t max) {
  const std::lock_guard lock(mutex_);
  max_kept_ = max;
}

std::vector<TimelineEvent> Progress::kept() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

void enter(Progress* progress, Activity activity) {
  if (progress != nullptr) progress->enter(activity);
}

Span::Span(Progress* progress, Activity activity, std::size_t step) : progress_(progress), event_{} {
  if (progress == nullptr) return;
  progress->enter(activity, step);
  event_ = {activity, static_cast<std::uint32_t>(step), nanoseconds_now(), 0};
}

Span::~Span() {
  if (progress_ == nullptr) return;
  event_.end = nanoseconds_now();
  progress_->add(event_);
}

Writing::Writing(Progress* progress)
    : progress_(progress), before_(progress != nullptr ? progress->place().activity : Activity::kSetUp) {
  enter(progress, Activity::kWriting);
}

}  // namespace lockstep::liveness
