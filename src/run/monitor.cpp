#include "run/monitor.h"

#include <fmt/format.h>

#include "base/error.h"

namespace lockstep::run {

void expect_monitored(const std::string& monitor, const data::DatasetInfo& info) {
  const bool no_test = monitor.starts_with("test") && info.test_samples == 0;
  const bool no_classes = monitor.ends_with("accuracy") && info.classes == 0;
  if (no_test || no_classes)
    throw ConfigError(
        fmt::format("train.monitor is \"{}\", which this data set has not: expected \"auto\"", monitor));
}

double monitored(const std::string& monitor, const report::EpochRow& row, const data::DatasetInfo& info) {
  if (monitor == "auto") return info.test_samples > 0 ? row.test_loss : row.train_loss;
  if (monitor == "test_loss") return row.test_loss;
  if (monitor == "test_accuracy") return row.test_accuracy;
  return monitor == "train_loss" ? row.train_loss : row.train_accuracy;
}

bool better(const std::string& monitor, double value, double other) {
  return monitor.ends_with("accuracy") ? value > other : value < other;
}

}  // namespace lockstep::run
