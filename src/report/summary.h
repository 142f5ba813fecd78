// summary.json: a finished run in one file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/run_files.h"

namespace lockstep::report {

struct Summary {
  std::string name;  // of the configuration
  EpochRow last;     // the last epoch's metrics
  std::size_t steps = 0;
  double total_seconds = 0.0;     // of training, without evaluations
  std::size_t train_samples = 0;  // of an epoch
  std::size_t parameters = 0;
  std::string weights_hash;
  struct {
    std::string train, test;  // fingerprints, "" without samples
  } data;
  int ranks = 1;
  int threads = 1;                     // of each rank
  std::vector<std::string> placement;  // of each rank: its host and the cores it may run on, "node1: 0-3"
  nlohmann::ordered_json config;
  nlohmann::ordered_json provenance;
};

// Replaces the file atomically. Throws std::system_error.
void write_summary(const std::filesystem::path& path, const Summary& summary);

}  // namespace lockstep::report
