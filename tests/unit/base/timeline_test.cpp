// Spans of time: their sums, and those that are kept.
#include "base/timeline.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

namespace lockstep {
namespace {

double seconds_of(Activity activity) { return seconds_by_activity()[static_cast<std::size_t>(activity)]; }

TEST(Timeline, AddsUpEachActivityByItself) {
  const auto before = seconds_by_activity();
  note_span({Activity::kForward, 1, 1'000'000, 3'500'000});
  note_span({Activity::kForward, 2, 5'000'000, 6'000'000});
  note_span({Activity::kUpdate, 2, 0, 250'000});
  EXPECT_NEAR(seconds_of(Activity::kForward) - before[static_cast<std::size_t>(Activity::kForward)], 3.5e-3,
              1e-12);
  EXPECT_NEAR(seconds_of(Activity::kUpdate) - before[static_cast<std::size_t>(Activity::kUpdate)], 0.25e-3,
              1e-12);
  EXPECT_EQ(seconds_of(Activity::kGather), before[static_cast<std::size_t>(Activity::kGather)]);
}

TEST(Timeline, ASpanLastsAsLongAsItsObject) {
  const double before = seconds_of(Activity::kBackward);
  const std::int64_t start = nanoseconds_now();
  {
    const Span span(Activity::kBackward, 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const double outside = 1e-9 * static_cast<double>(nanoseconds_now() - start);
  EXPECT_GE(seconds_of(Activity::kBackward) - before, 0.02);
  EXPECT_LE(seconds_of(Activity::kBackward) - before, outside);
}

TEST(Timeline, KeepsTheFirstSpansFromWhenItIsAsked) {
  note_span({Activity::kWait, 1, 10, 20});
  EXPECT_TRUE(kept_timeline().empty());
  keep_timeline(2);
  for (std::uint32_t step = 2; step < 6; ++step)
    note_span({Activity::kWait, step, 100 * step, 100 * step + 5});
  const auto kept = kept_timeline();
  keep_timeline(0);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].number, 2U);
  EXPECT_EQ(kept[1].number, 3U);
  EXPECT_EQ(kept[1].begin, 300);
  EXPECT_EQ(kept[1].end, 305);
}

TEST(Timeline, EveryActivityHasANameOfItsOwn) {
  std::set<std::string> names;
  for (std::size_t a = 0; a < kActivities; ++a) names.insert(name(static_cast<Activity>(a)));
  EXPECT_EQ(names.size(), kActivities);
}

}  // namespace
}  // namespace lockstep
