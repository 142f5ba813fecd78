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
    finish("out", {std::string("train.monitor=") + monitor, "--overwrite"});
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

// Hash of the floats in a model's file: its tensors lie in the arena's order.
std::string hash_of(const fs::path& model) { return xxh3_hex(read_safetensors(model).data); }

// Even if no checkpoint was due at the best epoch; and after a kill, from the checkpoint of that epoch.
TEST_F(ThreeRanksStopping, AndOneLeaveTheBestEpochsWeightsAsTheModelAndTheLastBeside) {
  std::vector<std::string> settings = {"train.patience=2", "train.monitor=test_accuracy",
                                       "checkpoint.every_epochs=0", "checkpoint.every_steps=0"};
  for (const Layout& layout : {Layout{kOneProcess, 1}, Layout{3, 1}}) {
    settings.resize(4);
    fs::remove_all(folder_ / "out");
    finish("out", settings, layout);
    const Table metrics = read_csv(folder_ / "out/metrics.csv"), steps = read_csv(folder_ / "out/steps.csv");
    const std::size_t best = epoch_of_highest(metrics, "test_accuracy"), done = metrics.rows.size();
    const auto hash_after = [&](std::size_t epoch) {
      return steps.rows.at(epoch * kStepsPerEpoch - 1).at("weights_hash");
    };
    const json summary = read_json(folder_ / "out/summary.json");
    ASSERT_EQ(done, best + 2);
    EXPECT_EQ(summary.at("best_epoch"), best);
    EXPECT_EQ(summary.at("epochs"), done);
    EXPECT_EQ(summary.at("weights_of"), "best");
    EXPECT_EQ(summary.at("weights_hash"), hash_after(best));
    EXPECT_NEAR(summary.at("test_loss").get<double>(), metrics.number(best - 1, "test_loss"), 1e-8);
    EXPECT_EQ(hash_of(folder_ / "out/model.safetensors"), hash_after(best));
    EXPECT_EQ(hash_of(folder_ / "out/last.safetensors"), hash_after(done));
    // What a resumed run says of the best is what a run in one go says.
    fs::remove(folder_ / "out/model.safetensors");
    settings.insert(settings.end(), {"--resume", "latest"});
    finish("out", settings, layout);
    EXPECT_EQ(hash_of(folder_ / "out/model.safetensors"), hash_after(best));
  }
}

// As version 0.1 wrote it: without the best epoch's row, which metrics.csv has.
TEST_F(Stopping, TheBestEpochsMetricsAreThoseOfMetricsWhereTheCheckpointKeptNone) {
  const std::vector<std::string> settings = {"train.patience=2", "train.monitor=test_accuracy"};
  finish("out", settings);
  const Table metrics = read_csv(folder_ / "out/metrics.csv");
  const std::size_t best = epoch_of_highest(metrics, "test_accuracy");
  const json before = read_json(folder_ / "out/summary.json");
  const fs::path newest = checkpoint("out", newest_step("out"));
  Tensors tensors = read_safetensors(newest);
  json& kept = tensors.header.at("__metadata__");
  json record = json::parse(kept.at("run").get<std::string>());
  ASSERT_EQ(record.erase("best_row"), 1U);
  kept["run"] = record.dump();
  const std::string zeros(16, '0');
  kept["checksum"] = zeros;
  write_safetensors(newest, tensors);
  std::string content = read_text(newest);
  content.replace(content.find("\"" + zeros + "\"") + 1, zeros.size(), xxh3_hex(content));
  write_text(newest, content);
  std::vector<std::string> again = settings;
  again.insert(again.end(), {"--resume", "latest"});
  finish("out", again);
  const json after = read_json(folder_ / "out/summary.json");
  EXPECT_EQ(after.at("best_epoch"), best);
  for (const char* name : {"train_loss", "train_accuracy", "test_loss", "test_accuracy"})
    EXPECT_NEAR(after.at(name).get<double>(), before.at(name).get<double>(), 1e-8) << name;
}

TEST_F(Stopping, WithoutPatienceTheModelIsTheLastEpochs) {
  finish("out", {"train.epochs=3"});
  const json summary = read_json(folder_ / "out/summary.json");
  EXPECT_EQ(summary.at("weights_of"), "last");
  EXPECT_FALSE(fs::exists(folder_ / "out/last.safetensors"));
}

TEST_F(Stopping, WarnsWhereTheBestEpochsWeightsAreGone) {
  const std::vector<std::string> settings = {"train.patience=5", "train.monitor=test_accuracy"};
  finish("whole", settings);
  const Table metrics = read_csv(folder_ / "whole/metrics.csv");
  const std::size_t best = epoch_of_highest(metrics, "test_accuracy");
  std::vector<std::string> first = settings, rest = settings;
  first.push_back("train.epochs=" + std::to_string(best + 1));
  rest.insert(rest.end(), {"--resume", "latest"});
  finish("out", first);
  fs::remove(checkpoints("out") / "best.safetensors");
  const Outcome outcome = train("out", rest);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(outcome.err.starts_with("lockstep: warning: out/checkpoints/best.safetensors does not have"))
      << outcome.err;
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
    std::vector<std::string> all = {"train.epochs=4", "checkpoint.keep=100", "--overwrite"};
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
