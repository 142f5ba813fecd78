// lockstep train --resume: what it goes on from, and what it refuses.
#include <signal.h>

#include <chrono>
#include <thread>

#include "points_run.h"
#include "processes.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Resume : PointsRun {
  // Ended before the run was done, with checkpoints of at least two epochs.
  void interrupt(const std::string& out, const Words& more = {}) const {
    const Outcome outcome = disturbed(out, more, {kOneProcess, 1}, 3 * kStepsPerEpoch,
                                      [](const std::vector<pid_t>& ranks) { ::kill(ranks[0], SIGINT); });
    EXPECT_EQ(outcome.code, 130) << outcome.err;
  }

  // Refused with this code and one line that has these parts.
  void expect_refused(const Words& more, int code, const Words& parts, const Layout& layout = {}) const {
    const Outcome outcome = train("out", more, layout);
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("lockstep: ")) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    for (const std::string& part : parts)
      EXPECT_NE(outcome.err.find(part), std::string::npos) << "no \"" << part << "\" in " << outcome.err;
  }

  // Replaces a file by its first half.
  static void cut(const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }
};
struct ThreeRanksResume : Resume {};
struct TwoRanksResume : Resume {};

TEST_F(ThreeRanksResume, AndOneRefuseAFolderWithoutCheckpoints) {
  for (const Layout& layout : {Layout{kOneProcess, 1}, Layout{3, 1}}) {
    fs::remove_all(folder_ / "out");
    expect_refused({"--resume", "latest"}, 4, {"out/checkpoints", "no checkpoint"}, layout);
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    fs::create_directories(checkpoints("out"));
    expect_refused({"--resume", "latest"}, 4, {"out/checkpoints", "no checkpoint"}, layout);
  }
}

TEST_F(ThreeRanksResume, AndOneRefuseAFileThatIsNoCheckpoint) {
  finish("other", {"train.epochs=2"});
  for (const Layout& layout : {Layout{kOneProcess, 1}, Layout{3, 1}}) {
    expect_refused({"--resume", "other/missing"}, 4, {"other/missing", "No such file"}, layout);
    expect_refused({"--resume", "other"}, 4, {"other", "directory"}, layout);
    expect_refused({"--resume", "other/model.safetensors"}, 4, {"other/model.safetensors", "no checkpoint"},
                   layout);
    expect_refused({"--resume", "points.toml"}, 4, {"points.toml", "safetensors"}, layout);
  }
  cut(checkpoint("other", 14));
  expect_refused({"--resume", "other/checkpoints/step-000000014.safetensors"}, 4,
                 {"step-000000014.safetensors"});
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(ThreeRanksResume, AndOneRefuseAnotherExperimentAndNameTheKeys) {
  interrupt("out");
  const std::string metrics = read_text(folder_ / "out/metrics.csv");
  const std::size_t newest = newest_step("out");
  const std::pair<const char*, const char*> others[] = {{"train.learning_rate=0.2", "train.learning_rate"},
                                                        {"seed=12", "seed"},
                                                        {"data.noise=0.1", "data.noise"},
                                                        {"data.shards=4", "data.shards"},
                                                        {"model.hidden=[32,17]", "model.hidden"},
                                                        {"train.momentum=0.8", "train.momentum"},
                                                        {"train.momentum=0", "train.momentum"},
                                                        {"reduce.mode=float", "reduce.mode"},
                                                        {"train.batch_size=32", "train.batch_size"},
                                                        {"model.activation=relu", "model.activation"}};
  for (const auto& [setting, key] : others) {
    SCOPED_TRACE(setting);
    expect_refused({setting, "--resume", "latest"}, 2, {key});
  }
  expect_refused({"train.learning_rate=0.2", "seed=5", "--resume", "latest"}, 2,
                 {"train.learning_rate", "seed"}, {3, 1});
  EXPECT_EQ(read_text(folder_ / "out/metrics.csv"), metrics);
  EXPECT_EQ(newest_step("out"), newest);
}

TEST_F(Resume, MayChangeWhatTheNumbersDoNotDependOn) {
  interrupt("out");
  finish("whole");
  finish("out",
         {"--resume", "latest", "checkpoint.every_steps=3", "checkpoint.keep=1", "train.monitor=train_loss",
          "run.watchdog_seconds=5", "train.check_replicas_every=4", "train.max_seconds=1000"});
  expect_same_run("whole", "out");
}

TEST_F(TwoRanksResume, SkipABrokenCheckpointWithAWarning) {
  finish("whole");
  interrupt("out");
  const std::size_t newest = newest_step("out");
  cut(checkpoint("out", newest));
  const Outcome outcome = train("out", {"--resume", "latest"}, {2, 1});
  EXPECT_EQ(outcome.code, 0);
  const std::string expected =
      "lockstep: warning: skipped out/checkpoints/" + checkpoint("out", newest).filename().string();
  EXPECT_TRUE(outcome.err.starts_with(expected)) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  expect_same_run("whole", "out");
}

TEST_F(Resume, ABrokenCheckpointDoesNotTakeThePlaceOfAGoodOne) {
  finish("whole");
  interrupt("out");
  const std::size_t newest = newest_step("out");
  for (std::size_t i = 1; i < 4; ++i) {  // as many as are kept, far ahead
    const fs::path broken = checkpoint("out", kEpochs * kStepsPerEpoch + i);
    fs::copy_file(checkpoint("out", newest), broken);
    cut(broken);
  }
  const Outcome outcome = train("out", {"--resume", "latest", "train.max_seconds=1e-9"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(newest_step("out"), newest + 1);
  finish("out", {"--resume", "latest"});
  expect_same_run("whole", "out");
}

TEST_F(Resume, FromAnOlderFileForgetsTheLaterOnes) {
  finish("whole");
  finish("out", {"train.epochs=6", "checkpoint.keep=100"});
  finish("out", {"--resume", "out/checkpoints/step-000000010.safetensors", "train.max_seconds=1e-9"});
  EXPECT_EQ(newest_step("out"), 11U);
  finish("out", {"--resume", "latest"});
  expect_same_run("whole", "out");
}

TEST_F(Resume, IntoANewFolderHasTheSameWeightsAndMetrics) {
  finish("whole", {"log.steps=false", "log.gradients=false"});
  interrupt("first");
  const std::string file =
      "first/checkpoints/" + checkpoint("first", newest_step("first")).filename().string();
  finish("out", {"--resume", file, "log.steps=false", "log.gradients=false"});
  for (const char* run : {"whole", "out"})
    for (const char* table : {"steps.csv", "gradients.csv"}) write_text(folder_.path() / run / table, "");
  expect_same_run("whole", "out");
}

TEST_F(TwoRanksResume, MayGoOnWithOtherKernels) {
  finish("whole");
  interrupt("out", {"compute.kernels=portable"});
  finish("out", {"--resume", "latest", "compute.kernels=auto"}, {2, 1});
  expect_same_run("whole", "out");
}

TEST_F(Resume, OfAFinishedRunChangesNothing) {
  finish("whole");
  finish("out");
  finish("out", {"--resume", "latest"});
  expect_same_run("whole", "out");
}

TEST_F(Resume, MayTrainForMoreEpochsWithAConstantRate) {
  finish("long", {"train.epochs=24"});
  finish("out");
  finish("out", {"train.epochs=24", "--resume", "latest"});
  expect_same_run("long", "out");
}

TEST_F(Resume, MayNotTrainForMoreEpochsWithARateThatKnowsTheEnd) {
  const Words cosine = {"train.schedule=cosine", "train.epochs=4"};
  finish("out", cosine);
  expect_refused({"train.schedule=cosine", "train.epochs=5", "--resume", "latest"}, 2, {"train.epochs"});
}

TEST_F(Resume, ANewRunRemovesTheCheckpointsOfTheOldOne) {
  finish("out");
  finish("out", {"train.epochs=1", "--overwrite"});
  EXPECT_EQ(newest_step("out"), kStepsPerEpoch);
}

TEST_F(TwoRanksResume, ThatWriteToAFolderKeepOthersOut) {
  finish("whole");
  const Outcome first = disturbed("out", {}, {2, 1}, 5, [&](const std::vector<pid_t>& ranks) {
    ::kill(ranks[1], SIGSTOP);  // so that it is not done before the other job
    expect_refused({}, 2, {"out: another run writes there", std::to_string(ranks[0])});
    expect_refused({"--resume", "latest"}, 2, {"out: another run writes there"});
    ::kill(ranks[1], SIGCONT);
  });
  EXPECT_EQ(first.code, 0) << first.err;
  expect_same_run("whole", "out");
}

TEST_F(TwoRanksResume, GoOnTrainingWhenTheirCheckpointsAreRemoved) {
  finish("whole");
  const Outcome outcome = disturbed("out", {}, {2, 1}, 5, [&](const std::vector<pid_t>&) {
    fs::rename(checkpoints("out"), folder_ / "gone");
  });
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(outcome.err.starts_with("lockstep: warning: out/checkpoints/step-")) << outcome.err;
  EXPECT_NE(outcome.err.find("cannot be written: No such file or directory; training goes on\n"),
            std::string::npos)
      << outcome.err;
  expect_same_run("whole", "out");
}

TEST_F(Resume, CheckpointsAreTensorsThatOtherProgramsRead) {
  finish("out");
  const Tensors model = read_safetensors(folder_ / "out/model.safetensors"),
                last = read_safetensors(checkpoint("out", kEpochs * kStepsPerEpoch));
  const Tensors expected = zero_tensors({2, 32, 16, 1});
  const std::size_t bytes = model.data.size();
  EXPECT_EQ(last.data.substr(0, bytes), model.data);
  for (const auto& [name, entry] : expected.header.items()) {
    EXPECT_EQ(last.header.at(name), entry) << name;
    const auto& momentum = last.header.at("momentum." + name);
    EXPECT_EQ(momentum.at("dtype"), "F32");
    EXPECT_EQ(momentum.at("shape"), entry.at("shape"));
    EXPECT_EQ(momentum.at("data_offsets")[0], bytes + entry.at("data_offsets")[0].get<std::size_t>()) << name;
  }
  EXPECT_EQ(last.header.at("reducer").at("dtype"), "I32");
  EXPECT_EQ(last.header.at("reducer").at("data_offsets")[1], last.data.size());
}

}  // namespace
}  // namespace lockstep::program
