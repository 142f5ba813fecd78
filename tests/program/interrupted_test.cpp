// Runs that are ended at any moment, and go on with other numbers of ranks and threads, are the run that was
// not.
#include <signal.h>

#include <chrono>
#include <string>
#include <thread>

#include "points_run.h"
#include "processes.h"

namespace lockstep::program {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<pid_t>;

// How a job is ended, and with which exit code.
struct End {
  const char* name;
  std::function<void(const Ids&)> act;
  int code;  // 0: any but 0
};
const std::vector<End>& ends() {
  static const std::vector<End> all = {
      {"kill -9 of a rank", [](const Ids& ranks) { ::kill(ranks.front(), SIGKILL); }, 0},
      {"SIGINT to a rank", [](const Ids& ranks) { ::kill(ranks.back(), SIGINT); }, 130},
      {"SIGTERM to a rank", [](const Ids& ranks) { ::kill(ranks.back(), SIGTERM); }, 143},
      {"SIGUSR1 to a rank", [](const Ids& ranks) { ::kill(ranks.front(), SIGUSR1); }, 143},
      {"SIGINT to all ranks",
       [](const Ids& ranks) {
         for (const pid_t rank : ranks) ::kill(rank, SIGINT);
       },
       130},
  };
  return all;
}
// While no step can end, so that the ranks do not outrun it: it takes them a while to notice that mpirun is
// gone.
void kill_launcher(const Ids& ranks) {
  ::kill(ranks.back(), SIGSTOP);
  ::kill(parent_of(ranks.front()), SIGKILL);
  EXPECT_TRUE(wait_until_gone({ranks.begin(), ranks.end() - 1}));
  ::kill(ranks.back(), SIGCONT);
}
const std::vector<End>& ends_of_launcher() {
  static const std::vector<End> all = {
      {"kill -9 of mpirun", kill_launcher, 0},
      {"SIGUSR1 to mpirun", [](const Ids& ranks) { ::kill(parent_of(ranks.front()), SIGUSR1); }, 143}};
  return all;
}

class Interrupted : public PointsRun {
 protected:
  // Ended at two moments, of which the second is in another epoch; then trained to the end. Each part on its
  // layout.
  void expect_the_same_run(const End& end, const Layout& first, const Layout& second, const Layout& last) {
    SCOPED_TRACE(end.name);
    if (!std::filesystem::exists(folder_ / "whole")) finish("whole");
    const auto expect_end = [&](const Outcome& outcome) {
      if (end.code == 0)
        EXPECT_NE(outcome.code, 0);
      else
        EXPECT_EQ(outcome.code, end.code) << outcome.err;
    };
    std::filesystem::remove_all(folder_ / "out");
    expect_end(disturbed("out", {}, first, 3, end.act));
    const std::size_t step = newest_step("out");
    EXPECT_LT(step, kEpochs * kStepsPerEpoch);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out/summary.json"));
    expect_end(disturbed("out", {"--resume", "latest"}, second, step + 6, end.act));
    finish("out", {"--resume", "latest"}, last);
    expect_same_run("whole", "out");
  }
};

struct TwoRanksInterrupted : Interrupted {};
struct FourRanksInterrupted : Interrupted {};

TEST_F(Interrupted, IsTheSameRunWhateverEndsIt) {
  for (const End& end : ends())
    expect_the_same_run(end, {kOneProcess, 2}, {kOneProcess, 1}, {kOneProcess, 3});
}

TEST_F(FourRanksInterrupted, AndFewerAreTheSameRunWhateverEndsARank) {
  for (const End& end : ends()) expect_the_same_run(end, {4, 1}, {1, 2}, {3, 1});
}

TEST_F(FourRanksInterrupted, AndFewerAreTheSameRunWhateverEndsMpirun) {
  for (const End& end : ends_of_launcher()) expect_the_same_run(end, {2, 1}, {4, 1}, {kOneProcess, 2});
}

// Stops rank 1 so that rank 0 cannot end its step, then has it go on after `meanwhile`.
std::function<void(const Ids&)> while_a_step_lasts(const std::function<void(pid_t waiting)>& meanwhile,
                                                   bool go_on) {
  return [=](const Ids& ranks) {
    ::kill(ranks[1], SIGSTOP);
    std::this_thread::sleep_for(100ms);
    meanwhile(ranks[0]);
    if (go_on) ::kill(ranks[1], SIGCONT);
  };
}

TEST_F(TwoRanksInterrupted, EndAtOnceAtASecondInterrupt) {
  const auto interrupt_twice = [](pid_t waiting) {
    ::kill(waiting, SIGINT);
    std::this_thread::sleep_for(500ms);
    EXPECT_TRUE(is_alive(waiting));
    ::kill(waiting, SIGINT);
  };
  const Outcome outcome = disturbed("out", {}, {2, 1}, 5, while_a_step_lasts(interrupt_twice, false));
  EXPECT_EQ(outcome.code, 130) << outcome.err;
}

TEST_F(TwoRanksInterrupted, SaveOnceHoweverOftenUsr1Comes) {
  finish("whole");
  const auto ask_often = [](pid_t waiting) {
    for (int i = 0; i < 4; ++i) {
      ::kill(waiting, SIGUSR1);
      std::this_thread::sleep_for(150ms);
    }
    EXPECT_TRUE(is_alive(waiting));
  };
  const Outcome outcome = disturbed("out", {}, {2, 1}, 5, while_a_step_lasts(ask_often, true));
  EXPECT_EQ(outcome.code, 143) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  finish("out", {"--resume", "latest"});
  expect_same_run("whole", "out");
}

TEST_F(TwoRanksInterrupted, SayWhereTheStateIsSaved) {
  Running job(words_of({"train", "points.toml", "--out", "out"}, 2), in(folder_.path(), 60));
  while (newest_step("out") < 5) std::this_thread::sleep_for(1ms);
  ::kill(ranks_below(job.id()).back(), SIGINT);
  const Outcome outcome = job.wait();
  const std::string file = "out/checkpoints/" + checkpoint("out", newest_step("out")).filename().string();
  EXPECT_NE(
      outcome.out.find("interrupted after step " + std::to_string(newest_step("out")) + ": saved " + file),
      std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("--resume latest"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.err, "");
}

TEST_F(TwoRanksInterrupted, DoNotSayThatTheyHaveSavedWhatTheyCouldNot) {
  Running job(words_of({"train", "points.toml", "--out", "out"}, 2), in(folder_.path(), 60));
  while (newest_step("out") < 5) std::this_thread::sleep_for(1ms);
  std::filesystem::rename(checkpoints("out"), folder_ / "elsewhere");
  ::kill(ranks_below(job.id()).back(), SIGTERM);
  const Outcome outcome = job.wait();
  EXPECT_EQ(outcome.code, 143);
  EXPECT_EQ(outcome.out.find(": saved"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("cannot be written"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace lockstep::program
