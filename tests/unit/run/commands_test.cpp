// What subcommands do, as functions: on all ranks of the job together what they do on one of them alone.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "mpi_main.h"
#include "run/eval.h"
#include "run/gradcheck.h"
#include "run/sweep.h"
#include "run/train.h"
#include "run/verify.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;

using test::self;
using test::world;

class Commands : public testing::Test {
 protected:
  Commands() {
    std::string folder;
    if (world().rank() == 0) {
      folder = (fs::temp_directory_path() / "lockstep-test-XXXXXX").string();
      if (::mkdtemp(folder.data()) == nullptr) folder.clear();
      write(folder + "/points.toml", kPoints);
      write(folder + "/search.toml", kSearch);
    }
    world().broadcast(folder, 0);
    folder_ = folder;
    console_.mute();
  }
  ~Commands() override {
    world().barrier();
    if (world().rank() == 0) fs::remove_all(folder_);
  }

  static void write(const fs::path& path, const char* text) { std::ofstream(path) << text; }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  TrainArguments training_into(const std::string& name) const {
    TrainArguments arguments;
    arguments.config = path("points.toml");
    arguments.out = path(name);
    return arguments;
  }
  nlohmann::json summary_of(const std::string& run) const {
    return nlohmann::json::parse(read_file(folder_ / run / "summary.json"));
  }

  // The exit code that a command ends with: of its error, or 0.
  template <typename Command>
  static int code_of(Command&& command) {
    try {
      command();
    } catch (const comm::CollectiveError& error) {
      return static_cast<int>(error.code());
    }
    return 0;
  }

  fs::path folder_;
  report::Console console_{false};

 private:
  static constexpr const char* kPoints = R"(
[data]
dataset = "circle"
n = 200
[model]
hidden = [8]
[train]
epochs = 2
batch_size = 16
[compute]
threads = 1
)";
  static constexpr const char* kSearch = R"(
config = "points.toml"
search = "grid"
score = "test_loss"
[parameters]
"train.learning_rate" = [0.1, 0.2]
)";
};

TEST_F(Commands, TrainOnAllRanksIsTrainOnOne) {
  Job together(world(), self(), console_), alone(self(), self(), console_);
  const std::string own = "alone" + std::to_string(world().rank());
  EXPECT_EQ(train(together, training_into("together")), 0);
  EXPECT_EQ(train(alone, training_into(own)), 0);
  world().barrier();
  EXPECT_EQ(summary_of("together").at("weights_hash"), summary_of(own).at("weights_hash"));
  EXPECT_EQ(summary_of("together").at("test_loss"), summary_of(own).at("test_loss"));
  EXPECT_EQ(summary_of("together").at("ranks"), world().size());
}

TEST_F(Commands, SearchOnAllRanksIsSearchOnOne) {
  Job together(world(), self(), console_);
  sweep(together, {.sweep = path("search.toml"), .out = path("groups")});
  sweep(together, {.sweep = path("search.toml"), .out = path("group"), .ranks_per_trial = world().size()});
  for (const char* file : {"runs/0001.json", "runs/0002.json"}) {
    const auto one = nlohmann::json::parse(read_file(folder_ / "groups" / file)),
               all = nlohmann::json::parse(read_file(folder_ / "group" / file));
    EXPECT_EQ(one.at("weights_hash"), all.at("weights_hash"));
    EXPECT_EQ(one.at("test_loss"), all.at("test_loss"));
  }
}

TEST_F(Commands, VerifyAndGradcheckAgree) {
  Job job(world(), self(), console_);
  EXPECT_TRUE(verify(job, {.config = path("points.toml"), .overrides = {}, .steps = 5, .tolerance = {}}));
  EXPECT_TRUE(gradcheck(job, {.config = path("points.toml"), .overrides = {}, .elements = 5}));
}

// One rank is asked to stop, before the command begins: all ranks end it.
TEST_F(Commands, EndInOrderWhereASignalAsksOneRank) {
  Job before(world(), self(), console_);
  train(before, training_into("run"));
  world().barrier();
  for (const auto& [signal, code] :
       {std::pair(SIGINT, 130), std::pair(SIGTERM, 143), std::pair(SIGUSR1, 143)}) {
    const liveness::StopSignals signals;
    if (world().rank() == world().size() - 1) ::raise(signal);
    Job job(world(), self(), console_, &signals);
    const std::string config = path("points.toml");
    EXPECT_EQ(code_of([&] { verify(job, {.config = config, .overrides = {}, .tolerance = {}}); }), code);
    EXPECT_EQ(code_of([&] { gradcheck(job, {.config = config, .overrides = {}}); }), code);
    EXPECT_EQ(code_of([&] {
                eval(job,
                     {.config = path("run"), .overrides = {}, .model = {}, .out = {}, .predictions_of = {}});
              }),
              code);
    EXPECT_EQ(code_of([&] {
                sweep(job, {.sweep = path("search.toml"),
                            .out = path("search" + std::to_string(signal)),
                            .ranks_per_trial = world().size()});
              }),
              code);
    TrainArguments stopped = training_into("stopped" + std::to_string(signal));
    EXPECT_EQ(train(job, stopped), code);  // which says where its state is saved
    world().barrier();
    EXPECT_TRUE(fs::exists(folder_ / stopped.out / "checkpoints/step-000000001.safetensors"));
  }
}

// Ranks on one host see one another's heartbeats: one speaks for all.
TEST_F(Commands, OneRankSaysThatNothingMoves) {
  std::promise<std::string> said;
  auto line = said.get_future();
  Job job(world(), self(), console_, nullptr, [&](const std::string& text) { said.set_value(text); });
  job.watch(1.0);
  job.progress.enter(liveness::Activity::kEvaluation, 0);
  ASSERT_EQ(line.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  std::int64_t lines = line.get().empty() ? 0 : 1;
  world().allreduce_sum(std::span(&lines, 1));
  EXPECT_EQ(lines, 1);
}

TEST_F(Commands, NobodyWatchesWhereNothingIsToBeDone) {
  Job job(world(), self(), console_);
  job.watch(0.1);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
}

}  // namespace
}  // namespace lockstep::run
