// Runs that stop by themselves: early, by the clock; and which checkpoints they leave.
#include "points_run.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Stopping : PointsRun {
  // The steps after which a checkpoint is left.
  std::vector<std::size_t> kept_steps(const std::string& out) const {
    std::vector<std::size_t> steps;
    for (std::size_t step = 0; step <= kEpochs * kStepsPerEpoch; ++step)
      if (fs::exists(checkpoint(out, step))) steps.push_back(step);
    return steps;
  }
  std::size_t best_epoch(const std::string& out) const {
    const Tensors best = read_safetensors(checkpoints(out) / "best.safetensors");
    const json state = json::parse(best.header["__metadata__"]["state"].get<std::string>());
    const auto step = state.at("step").get<std::size_t>();
    EXPECT_EQ(step % kStepsPerEpoch, 0U);
    return step / kStepsPerEpoch;
  }
};
struct ThreeRanksStopping : Stopping {};

TEST_F(Stopping, TheBestIsTheEpochOfTheLowestTestLoss) {
  finish("out");
  const Table metrics = read_csv(folder_ / "out/metrics.csv");
  const std::size_t lowest = epoch_of_lowest(metrics, "test_loss");
  EXPECT_LT(lowest, kEpochs);  // so that it is not simply the last
  EXPECT_EQ(best_epoch("out"), lowest);
}

TEST_F(Stopping, TheBestIsOfWhatTheConfigurationMonitors) {
  for (const char* monitor : {"test_accuracy", "train_accuracy", "test_loss", "train_loss"}) {
    SCOPED_TRACE(monitor);
    finish("out", {std::string("train.monitor=") + monitor});
    const Table metrics = read_csv(folder_ / "out/metrics.csv");
    EXPECT_EQ(best_epoch("out"), std::string(monitor).ends_with("loss") ? epoch_of_lowest(metrics, monitor)
                                                                        : epoch_of_highest(metrics, monitor));
  }
}

TEST_F(Stopping, TheBestHasTheWeightsOfItsEpoch) {
  finish("out");
  const std::size_t epoch = best_epoch("out");
  finish("short", {"train.epochs=" + std::to_string(epoch), "--resume", "out/checkpoints/best.safetensors"});
  const Table steps = read_csv(folder_ / "out/steps.csv");
  EXPECT_EQ(weights_hash(folder_ / "short"), steps.rows[epoch * kStepsPerEpoch - 1].at("weights_hash"));
}

TEST_F(ThreeRanksStopping, AndOneStopAtTheSameEpochWithoutImprovement) {
  const std::vector<std::string> settings = {"train.patience=2", "train.monitor=test_accuracy"};
  finish("one", settings);
  finish("three", settings, {3, 1});
  expect_same_run("one", "three");
  const Table metrics = read_csv(folder_ / "three/metrics.csv");
  EXPECT_LT(metrics.rows.size(), kEpochs);
  EXPECT_EQ(metrics.rows.size(), epoch_of_highest(metrics, "test_accuracy") + 2);
  EXPECT_TRUE(fs::exists(checkpoint("three", metrics.rows.size() * kStepsPerEpoch)));
}

TEST_F(Stopping, PatienceRemembersTheBestOfBeforeTheCheckpoint) {
  const std::vector<std::string> settings = {"train.patience=2", "train.monitor=test_accuracy"};
  finish("whole", settings);
  const Table metrics = read_csv(folder_ / "whole/metrics.csv");
  const std::size_t best = epoch_of_highest(metrics, "test_accuracy");
  for (const std::size_t epochs : {best, best + 1}) {
    fs::remove_all(folder_ / "out");
    std::vector<std::string> first = settings, rest = settings;
    first.push_back("train.epochs=" + std::to_string(epochs));
    rest.insert(rest.end(), {"--resume", "latest"});
    finish("out", first);
    finish("out", rest);
    expect_same_run("whole", "out");
  }
}

// A time so short that every step is the last, over the ends of epochs.
TEST_F(ThreeRanksStopping, GoOnWhereTheirTimeWasOver) {
  finish("whole");
  finish("out", {"train.max_seconds=1e-9"}, {3, 1});
  for (std::size_t step = 1; step <= kStepsPerEpoch + 2; ++step) {
    EXPECT_EQ(newest_step("out"), step);
    EXPECT_EQ(read_json(folder_ / "out/summary.json").at("weights_hash"),
              read_csv(folder_ / "whole/steps.csv").rows[step - 1].at("weights_hash"));
    finish("out", {"train.max_seconds=1e-9", "--resume", "latest"}, {1 + static_cast<int>(step) % 3, 1});
  }
  finish("out", {"--resume", "latest"}, {2, 1});
  expect_same_run("whole", "out");
}

TEST_F(Stopping, SavesWhereItStopsEvenIfEpochsAreNotSaved) {
  const std::vector<std::string> settings = {"checkpoint.every_steps=0", "checkpoint.every_epochs=0",
                                             "train.max_seconds=1e-9"};
  finish("out", settings);
  for (std::size_t step = 1; step <= kStepsPerEpoch; ++step) {
    EXPECT_EQ(newest_step("out"), step);
    std::vector<std::string> more = settings;
    more.insert(more.end(), {"--resume", "latest"});
    finish("out", more);
  }
}

TEST_F(Stopping, CheckpointsComeAsOftenAsTheConfigurationSays) {
  const auto kept = [&](const std::vector<std::string>& settings) {
    std::vector<std::string> all = {"train.epochs=4", "checkpoint.keep=100"};
    all.insert(all.end(), settings.begin(), settings.end());
    finish("out", all);
    return kept_steps("out");
  };
  using Steps = std::vector<std::size_t>;
  EXPECT_EQ(kept({"checkpoint.every_steps=0"}), (Steps{7, 14, 21, 28}));
  EXPECT_EQ(kept({"checkpoint.every_steps=10"}), (Steps{7, 10, 14, 20, 21, 28}));
  EXPECT_EQ(kept({"checkpoint.every_steps=7", "checkpoint.every_epochs=0"}), (Steps{7, 14, 21, 28}));
  EXPECT_EQ(kept({"checkpoint.every_steps=0", "checkpoint.every_epochs=3"}), (Steps{21, 28}));
  EXPECT_EQ(kept({"checkpoint.every_steps=0", "checkpoint.every_epochs=0"}), Steps{});
  EXPECT_EQ(kept({"checkpoint.every_steps=0", "checkpoint.keep=2"}), (Steps{21, 28}));
}

}  // namespace
}  // namespace lockstep::program
