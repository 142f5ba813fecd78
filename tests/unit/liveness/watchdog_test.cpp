// A process that no longer moves ends itself, sooner or later; each case in a process of its own.
#include "liveness/watchdog.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace lockstep::liveness {
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

// For six seconds nothing of this process runs, as after Ctrl-Z; then it is busy for two and a half.
[[noreturn]] void be_stopped_for_a_time() {
  note_progress(Phase::kReduction, 3);
  const Watchdog watchdog({.seconds = 16.0, .rank = 0, .ranks = 1, .host = "here", .folder = {}});
  const pid_t self = ::getpid();
  if (::fork() == 0) {
    ::kill(self, SIGSTOP);
    std::this_thread::sleep_for(std::chrono::seconds(6));
    ::kill(self, SIGCONT);
    ::_exit(0);
  }
  ::wait(nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  ::_exit(0);
}

TEST_F(WatchdogDeathTest, DoesNotCountTheTimeInWhichTheProcessWasStopped) {
  EXPECT_EXIT(be_stopped_for_a_time(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace lockstep::liveness
