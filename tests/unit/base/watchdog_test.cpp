// A process that no longer moves ends itself, sooner or later; each case in a process of its own.
#include "base/watchdog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace lockstep {
namespace {

// Stays in the phase for some seconds under a watchdog of one second, which gives up after 0.4 s or, in a
// phase with files, 4 s.
[[noreturn]] void stay_in(Phase phase, double seconds) {
  note_progress(phase, 3);
  const Watchdog watchdog({.seconds = 1.0, .rank = 0, .ranks = 1, .host = "here", .folder = {}});
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  ::_exit(0);
}

struct WatchdogDeathTest : testing::Test {
  WatchdogDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(WatchdogDeathTest, EndsAProcessThatDoesNotMove) {
  EXPECT_EXIT(stay_in(Phase::kReduction, 60.0), testing::ExitedWithCode(5),
              "rank 0 on here, at step 3 in reduction, hangs: nothing has moved for [0-9.]+ s");
}

TEST_F(WatchdogDeathTest, HasMorePatienceWithADisk) {
  EXPECT_EXIT(stay_in(Phase::kWriting, 1.5), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(stay_in(Phase::kWriting, 60.0), testing::ExitedWithCode(5), "in writing, hangs");
}

}  // namespace
}  // namespace lockstep
