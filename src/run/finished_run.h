// The folder of a finished run, and whether what lies in it belongs together.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/fingerprint.h"
#include "report/run_files.h"
#include "run/check.h"

namespace lockstep::run {

// What summary.json says.
struct FinishedRun {
  std::filesystem::path folder;
  nlohmann::ordered_json summary;
  std::string name;                           // of the configuration
  std::map<std::string, std::string> values;  // that decide the result, see config::deciding_values
  data::Fingerprint data;
  std::string weights;  // the hash of the model's
  std::string
      last_weights;      // of the parameters after the last step; "" where the model is an earlier epoch's
  report::EpochRow row;  // the epoch that the model is of: losses and accuracies
  std::size_t epochs = 0, steps = 0;
  bool out_of_time = false;  // ended by train.max_seconds before all epochs were done
  std::string version, commit, began_from;

  // XXH3-64 of the values, "key = value" a line.
  std::string config_hash() const;
  // What a student hands in: "lockstep-receipt name=spiral configuration=... data=... weights=...".
  std::string receipt() const;
};

// Throws ConfigError where the path is not the folder of a run, and ModelError where the run is not finished
// or its summary.json is not what lockstep train writes.
FinishedRun read_finished_run(const std::filesystem::path& folder);

// Compares the run's files with its summary.json, a check for each: configuration, weights, metrics, steps,
// and checkpoints.
std::vector<Check> compare_files(const FinishedRun& run);

// Compares with a receipt. What the program was is not compared: any may give these weights. Throws
// ConfigError where the text is not a receipt.
Check compare_receipt(const FinishedRun& run, const std::string& receipt);

// Compares a run with another of the same configuration.
std::vector<Check> compare_runs(const FinishedRun& run, const FinishedRun& again);

}  // namespace lockstep::run
