// A process that no longer moves is noticed, sooner or later.
#include "liveness/watchdog.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <thread>

namespace lockstep::liveness {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A watchdog, and what it says where nothing moves.
class Watched {
 public:
  explicit Watched(double seconds, const fs::path& folder = {}, int rank = 0, int ranks = 1)
      : watchdog_({.seconds = seconds, .rank = rank, .ranks = ranks, .host = "here", .folder = folder},
                  progress, [this](const std::string& line) { said_.set_value(line); }) {}

  // Nothing where it has said nothing by then.
  std::optional<std::string> says_within(std::chrono::duration<double> time) {
    if (line_.wait_for(time) != std::future_status::ready) return std::nullopt;
    return line_.get();
  }

  Progress progress;

 private:
  std::promise<std::string> said_;
  std::future<std::string> line_ = said_.get_future();
  Watchdog watchdog_;
};

TEST(Watchdog, NoticesAProcessThatDoesNotMove) {
  Watched watched(1.0);  // which gives up after 0.4 s
  watched.progress.enter(Activity::kTransfer, 3);
  const auto line = watched.says_within(60s);
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->starts_with("rank 0 on here, at step 3 in reduction, hangs: nothing has moved for "))
      << *line;
  EXPECT_TRUE(line->ends_with(" s (run.watchdog_seconds is 1)")) << *line;
}

TEST(Watchdog, SaysNothingOfOneThatMoves) {
  Watched watched(5.0);  // 2 s
  for (int i = 0; i < 150; ++i) {
    watched.progress.enter(Activity::kForward, 3);
    EXPECT_FALSE(watched.says_within(20ms));
  }
}

TEST(Watchdog, HasMorePatienceWithADisk) {
  Watched watched(1.0);  // 4 s
  watched.progress.enter(Activity::kWriting, 3);
  EXPECT_FALSE(watched.says_within(1500ms));
  const auto line = watched.says_within(60s);
  ASSERT_TRUE(line);
  EXPECT_NE(line->find("in writing, hangs"), std::string::npos) << *line;
}

struct WatchdogOfGroups : testing::Test {
  WatchdogOfGroups() {
    std::string pattern = (fs::temp_directory_path() / "lockstep-test-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~WatchdogOfGroups() override { fs::remove_all(folder); }

  // The other rank's heartbeats, of one that moves or does not, as long as it is asked to beat.
  std::jthread other(bool moves) const {
    return std::jthread([this, moves](const std::stop_token& stop) {
      for (std::size_t i = 1; !stop.stop_requested(); ++i) {
        write_heartbeat(heartbeat_file(folder, 1), {.beat = i,
                                                    .step = 7,
                                                    .host = "there",
                                                    .phase = Activity::kGather,
                                                    .addresses = {},
                                                    .unanswered = {},
                                                    .moves = moves ? i : 1});
        std::this_thread::sleep_for(5ms);
      }
    });
  }

  fs::path folder;
};

TEST_F(WatchdogOfGroups, WaitsForOtherGroupsAsLongAsTheyMove) {
  const std::jthread moving = other(true);
  Watched watched(5.0, folder, 0, 2);
  watched.progress.enter(Activity::kOtherGroups);
  EXPECT_FALSE(watched.says_within(3s));
}

TEST_F(WatchdogOfGroups, DoesNotWaitForOtherGroupsThatDoNotMove) {
  const std::jthread standing = other(false);
  Watched watched(1.0, folder, 0, 2);
  watched.progress.enter(Activity::kOtherGroups, 9);
  const auto line = watched.says_within(60s);
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->starts_with("rank 1 on there, at step 7 in forward and backward, hangs")) << *line;
}

// For six seconds nothing of this process runs, as after Ctrl-Z; then it is busy for two and a half.
[[noreturn]] void be_stopped_for_a_time() {
  Progress progress;
  progress.enter(Activity::kTransfer, 3);
  const Watchdog watchdog({.seconds = 16.0, .rank = 0, .ranks = 1, .host = "here", .folder = {}}, progress,
                          [](const std::string&) { ::_exit(1); });
  const pid_t self = ::getpid();
  if (::fork() == 0) {
    ::kill(self, SIGSTOP);
    std::this_thread::sleep_for(6s);
    ::kill(self, SIGCONT);
    ::_exit(0);
  }
  ::wait(nullptr);
  std::this_thread::sleep_for(2500ms);
  ::_exit(0);
}

TEST(WatchdogDeathTest, DoesNotCountTheTimeInWhichTheProcessWasStopped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(be_stopped_for_a_time(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace lockstep::liveness
