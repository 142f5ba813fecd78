#include "run/balance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lockstep::run {
namespace {

// "ranks 0 to 3 have 5 each, rank 4 has 2"
std::string describe(const data::ShardDivision& division) {
  const std::vector<std::size_t>& counts = division.counts();
  std::string text;
  for (std::size_t first = 0, next = 0; first < counts.size(); first = next) {
    while (next < counts.size() && counts[next] == counts[first]) ++next;
    text += text.empty() ? "" : ", ";
    text += next - first == 1 ? fmt::format("rank {} has {}", first, counts[first])
                              : fmt::format("ranks {} to {} have {} each", first, next - 1, counts[first]);
  }
  return text;
}

}  // namespace

Balance::Balance(Experiment& experiment, const comm::Communicator& ranks, const liveness::Progress& progress,
                 report::Console& console)
    : experiment_(experiment),
      ranks_(ranks),
      progress_(progress),
      console_(console),
      possible_(ranks.size() > 1),
      counted_(computed()) {}

std::int64_t Balance::computed() const {
  using liveness::Activity;
  double seconds = 0.0;
  for (const Activity activity : {Activity::kGather, Activity::kForward, Activity::kBackward})
    seconds += progress_.seconds()[static_cast<std::size_t>(activity)];
  return std::llround(1e9 * seconds);
}

void Balance::between_epochs() {
  constexpr std::int64_t kEnough = 500'000'000;  // nanoseconds: what a scheduler does to less is noise
  if (!possible_) return;
  const std::vector<std::int64_t> nanoseconds = ranks_.allgather(computed() - counted_);
  if (std::ranges::max(nanoseconds) < kEnough) return;
  counted_ = computed();
  const data::ShardDivision& now = experiment_.division();
  const data::ShardDivision next = data::rebalanced(now, nanoseconds);
  if (next == now) return;
  try {
    experiment_.divide(next);
    console_.line(fmt::format("shards divided by speed: {}", describe(next)));
  } catch (const comm::CollectiveError& error) {
    possible_ = false;
    if (ranks_.rank() == 0)
      console_.warning(fmt::format("{}; shards stay with their ranks, training goes on", error.what()));
  }
}

}  // namespace lockstep::run
