// Where a run is; spans of time: their sums, and those that are kept.
#include "liveness/progress.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

namespace lockstep::liveness {
namespace {

double seconds_of(const Progress& progress, Activity activity) {
  return progress.seconds()[static_cast<std::size_t>(activity)];
}

TEST(Progress, IsSettingUpAtFirstAndMovesWithEveryActivity) {
  Progress progress;
  EXPECT_EQ(progress.place().activity, Activity::kSetUp);
  EXPECT_EQ(progress.place().moves, 0U);
  progress.enter(Activity::kForward, 7);
  progress.enter(Activity::kForward);
  EXPECT_EQ(progress.place().activity, Activity::kForward);
  EXPECT_EQ(progress.place().step, 7U);
  EXPECT_EQ(progress.place().moves, 2U);
}

TEST(Progress, StaysWhereASpanWasUntilTheNext) {
  Progress progress;
  { const Span span(&progress, Activity::kWait, 3); }
  EXPECT_EQ(progress.place().activity, Activity::kWait);
  EXPECT_EQ(progress.place().step, 3U);
}

TEST(Progress, IsWhereItWasWhenFilesAreWritten) {
  Progress progress;
  progress.enter(Activity::kEvaluation, 5);
  {
    const Writing writing(&progress);
    EXPECT_EQ(progress.place().activity, Activity::kWriting);
    { const Span span(&progress, Activity::kCheckpoint, 5); }
    EXPECT_EQ(phase_of(progress.place().activity), Activity::kWriting);
  }
  EXPECT_EQ(progress.place().activity, Activity::kEvaluation);
}

TEST(Progress, NobodyNeedsToFollowIt) {
  enter(nullptr, Activity::kUpdate);
  const Span span(nullptr, Activity::kForward, 1);
  const Writing writing(nullptr);
}

TEST(Timeline, AddsUpEachActivityByItself) {
  Progress progress;
  progress.add({Activity::kForward, 1, 1'000'000, 3'500'000});
  progress.add({Activity::kForward, 2, 5'000'000, 6'000'000});
  progress.add({Activity::kUpdate, 2, 0, 250'000});
  EXPECT_NEAR(seconds_of(progress, Activity::kForward), 3.5e-3, 1e-12);
  EXPECT_NEAR(seconds_of(progress, Activity::kUpdate), 0.25e-3, 1e-12);
  EXPECT_EQ(seconds_of(progress, Activity::kGather), 0.0);
}

TEST(Timeline, ASpanLastsAsLongAsItsObject) {
  Progress progress;
  const std::int64_t start = nanoseconds_now();
  {
    const Span span(&progress, Activity::kBackward, 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const double outside = 1e-9 * static_cast<double>(nanoseconds_now() - start);
  EXPECT_GE(seconds_of(progress, Activity::kBackward), 0.02);
  EXPECT_LE(seconds_of(progress, Activity::kBackward), outside);
}

TEST(Timeline, KeepsTheFirstSpansFromWhenItIsAsked) {
  Progress progress;
  progress.add({Activity::kWait, 1, 10, 20});
  EXPECT_TRUE(progress.kept().empty());
  progress.keep(2);
  for (std::uint32_t step = 2; step < 6; ++step)
    progress.add({Activity::kWait, step, 100 * step, 100 * step + 5});
  const auto kept = progress.kept();
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

// A heartbeat is read by its phase's name, which must tell which it is.
TEST(Phases, AreCalledAsTheirFirstActivityAndNoOtherPhase) {
  for (std::size_t a = 0; a < kActivities; ++a)
    for (std::size_t b = 0; b < kActivities; ++b) {
      const auto one = static_cast<Activity>(a), other = static_cast<Activity>(b);
      EXPECT_EQ(phase_of(one) == phase_of(other), std::string(phase_name(one)) == phase_name(other));
    }
}

}  // namespace
}  // namespace lockstep::liveness
