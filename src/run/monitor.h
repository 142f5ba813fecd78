// train.monitor: what decides which epoch is the best.
#pragma once

#include <string>

#include "data/dataset.h"
#include "report/run_files.h"

namespace lockstep::run {

// Throws ConfigError where the data set has no such number.
void expect_monitored(const std::string& monitor, const data::DatasetInfo& info);

// What it watches, of an epoch.
double monitored(const std::string& monitor, const report::EpochRow& row, const data::DatasetInfo& info);

// Whether a value of it is better than another.
bool better(const std::string& monitor, double value, double other);

}  // namespace lockstep::run
