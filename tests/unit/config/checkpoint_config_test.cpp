// The keys of checkpoints and of stopping, and which keys make two configurations different experiments.
#include <gtest/gtest.h>

#include "config/expect_error.h"
#include "config/run_config.h"

namespace lockstep::config {
namespace {

using test::expect_error;
using test::Overrides;
using test::resolved;
using Keys = std::vector<std::string>;

TEST(CheckpointConfig, DefaultsSaveEveryEpochAndKeepThree) {
  const RunConfig config = parse("", "run.toml", {});
  EXPECT_EQ(config.checkpoint.every_epochs, 1U);
  EXPECT_EQ(config.checkpoint.every_steps, 0U);
  EXPECT_EQ(config.checkpoint.keep, 3U);
  EXPECT_EQ(config.train.max_seconds, 0.0);
  EXPECT_EQ(config.early_stopping.patience, 0U);
  EXPECT_EQ(config.early_stopping.monitor, "auto");
  EXPECT_EQ(config.watchdog_seconds, 60.0);
}

TEST(CheckpointConfig, EveryKeyOfTheFileArrives) {
  const RunConfig config = parse(R"toml(
[checkpoint]
every_epochs = 5
every_steps = 17
keep = 2
[train]
max_seconds = 1.5
patience = 4
monitor = "train_accuracy"
[run]
watchdog_seconds = 7
)toml",
                                 "run.toml", {});
  EXPECT_EQ(config.checkpoint.every_epochs, 5U);
  EXPECT_EQ(config.checkpoint.every_steps, 17U);
  EXPECT_EQ(config.checkpoint.keep, 2U);
  EXPECT_EQ(config.train.max_seconds, 1.5);
  EXPECT_EQ(config.early_stopping.patience, 4U);
  EXPECT_EQ(config.early_stopping.monitor, "train_accuracy");
  EXPECT_EQ(config.watchdog_seconds, 7.0);
}

TEST(CheckpointConfig, ValuesThatMakeNoSenseAreErrors) {
  const std::pair<const char*, const char*> cases[] = {
      {"checkpoint.keep", "0"},           {"checkpoint.keep", "-1"},         {"checkpoint.every_steps", "-1"},
      {"checkpoint.every_epochs", "1.5"}, {"train.max_seconds", "-1"},       {"train.max_seconds", "nan"},
      {"train.patience", "-1"},           {"train.monitor", "\"loss\""},     {"train.monitor", "3"},
      {"run.watchdog_seconds", "-0.5"},   {"checkpoint.every_steps", "many"}};
  for (const auto& [key, value] : cases)
    expect_error("", {std::string(key) + "=" + value}, {key, "expected"});
}

Keys different(const Overrides& a, const Overrides& b) {
  const std::string layers = R"([[model.layers]]
type = "dense"
units = 7
[[model.layers]]
type = "relu"
[[model.layers]]
type = "dense"
)";
  const bool listed = !a.empty() && a[0].starts_with("model.layers");
  return different_keys(resolved(listed ? layers : "", listed ? Overrides{} : a),
                        resolved(listed ? layers : "", b));
}

TEST(DifferentKeys, AreNoneOfEqualConfigurations) {
  EXPECT_EQ(different({}, {}), Keys{});
  EXPECT_EQ(different({"model.hidden=[]"}, {"model.hidden=[]"}), Keys{});
  EXPECT_EQ(different({"train.l2=1"}, {"train.l2=1.0"}), Keys{});
}

TEST(DifferentKeys, AreThoseThatTheNumbersDependOn) {
  const Overrides changes = {"seed=2",
                             "data.dataset=synthetic",
                             "data.shards=4",
                             "data.shuffle=none",
                             "data.normalize=scale",
                             "data.train_samples=100",
                             "data.test_samples=100",
                             "model.activation=relu",
                             "model.dropout=0.5",
                             "model.init=he",
                             "train.batch_size=256",
                             "train.learning_rate=0.04",
                             "train.momentum=0.9",
                             "train.l2=0.1",
                             "train.schedule=step",
                             "train.warmup_epochs=1",
                             "reduce.mode=float"};
  for (const std::string& change : changes) {
    const Keys key = {change.substr(0, change.find('='))};
    EXPECT_EQ(different({change}, {}), key);
    EXPECT_EQ(different({}, {change}), key);
  }
  EXPECT_EQ(different({"seed=2", "train.l2=0.1"}, {}), (Keys{"seed", "train.l2"}));
}

TEST(DifferentKeys, SayWhichPartOfAListDiffers) {
  const auto begins = [](const Keys& keys, const std::string& start) {
    return !keys.empty() && std::all_of(keys.begin(), keys.end(),
                                        [&](const std::string& key) { return key.starts_with(start); });
  };
  EXPECT_TRUE(begins(different({"model.hidden=[5,6]"}, {"model.hidden=[5,7]"}), "model.hidden"));
  EXPECT_TRUE(begins(different({"model.hidden=[5,6]"}, {"model.hidden=[5]"}), "model.hidden"));
  EXPECT_TRUE(begins(different({"model.hidden=[5]"}, {"model.hidden=[]"}), "model.hidden"));
  for (const std::string key : {"units", "frozen", "learning_rate_factor", "weight_decay_factor"}) {
    const std::string value = key == "frozen" ? "true" : "8";
    EXPECT_EQ(different({"model.layers"}, {"model.layers.0." + key + "=" + value}),
              Keys{"model.layers.0." + key});
  }
}

TEST(DifferentKeys, AreNotThoseThatOnlySayHowARunIsDone) {
  const Overrides changes = {"compute.threads=3",
                             "checkpoint.keep=7",
                             "checkpoint.every_steps=7",
                             "checkpoint.every_epochs=0",
                             "run.watchdog_seconds=5",
                             "log.steps=true",
                             "log.gradients=true",
                             "data.dir=elsewhere",
                             "train.max_seconds=5",
                             "train.patience=3",
                             "train.monitor=train_loss",
                             "train.check_replicas_every=1",
                             "train.init_from=some.file",
                             "compute.kernels=portable",
                             "compute.balance=true",
                             "log.layers=true",
                             "log.film=true",
                             "log.json=true",
                             "log.tensorboard=true"};
  for (const std::string& change : changes) EXPECT_EQ(different({change}, {}), Keys{}) << change;
}

TEST(DifferentKeys, HaveTheNumberOfEpochsWhereTheRateDependsOnIt) {
  EXPECT_EQ(different({"train.epochs=20"}, {}), Keys{});
  EXPECT_EQ(different({"train.epochs=20", "train.schedule=step"}, {"train.schedule=step"}), Keys{});
  EXPECT_EQ(different({"train.epochs=20", "train.schedule=triangular"}, {"train.schedule=triangular"}),
            Keys{"train.epochs"});
  EXPECT_EQ(different({"train.epochs=20", "train.schedule=cosine"}, {"train.schedule=cosine"}),
            Keys{"train.epochs"});
}

}  // namespace
}  // namespace lockstep::config
