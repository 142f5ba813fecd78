// train.scale_rate and train.base_batch_size.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/expect_error.h"
#include "config/run_config.h"

namespace lockstep::config {
namespace {

using test::expect_error;
using test::Overrides;
using test::resolved;

TEST(RateScaling, ScalesEveryLearningRateByTheBatchWhereThatIsAskedFor) {
  const Overrides rates = {
      "train.learning_rate=0.1",        "train.schedule=triangular", "train.initial_learning_rate=0.02",
      "train.final_learning_rate=0.01", "train.batch_size=512",      "train.weight_decay=0.5"};
  const auto scaled = [&](const Overrides& settings) {
    Overrides all = rates;
    all.insert(all.end(), settings.begin(), settings.end());
    return parse("", "run.toml", all);
  };
  const auto expect_factor = [](const RunConfig& config, double factor) {
    EXPECT_EQ(config.rate_scaling.factor, factor);
    EXPECT_DOUBLE_EQ(config.train.optimizer.learning_rate, 0.1 * factor);
    EXPECT_DOUBLE_EQ(config.train.schedule.initial_learning_rate, 0.02 * factor);
    EXPECT_DOUBLE_EQ(config.train.schedule.final_learning_rate, 0.01 * factor);
    EXPECT_EQ(config.train.optimizer.weight_decay, 0.5);
  };
  expect_factor(scaled({}), 1.0);
  expect_factor(scaled({"train.scale_rate=linear"}), 4.0);
  expect_factor(scaled({"train.scale_rate=linear", "train.base_batch_size=1024"}), 0.5);
  expect_factor(scaled({"train.scale_rate=sqrt"}), 2.0);
  expect_factor(scaled({"train.scale_rate=sqrt", "train.base_batch_size=512"}), 1.0);
  // The configuration keeps what it says: read again, it is scaled once.
  const auto values =
      resolved("", {"train.learning_rate=0.1", "train.scale_rate=linear", "train.batch_size=256"});
  EXPECT_EQ(values.at("train").at("learning_rate"), 0.1);
  EXPECT_DOUBLE_EQ(parse(to_toml(values), "again.toml", {}).train.optimizer.learning_rate, 0.2);
  expect_error("", {"train.scale_rate=log"}, {"train.scale_rate", "none, linear, sqrt"});
}

}  // namespace
}  // namespace lockstep::config
