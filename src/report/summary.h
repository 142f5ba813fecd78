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
  std::string name;        // of the configuration
  std::size_t epochs = 0;  // done
  EpochRow metrics;        // of the epoch whose weights are the model's
  std::size_t steps = 0;
  double total_seconds = 0.0;     // of training, without evaluations
  std::size_t train_samples = 0;  // of an epoch
  std::size_t parameters = 0;
  std::string weights_hash;  // of the model; where that is an average, of the parameters after the last step
  std::string average_hash;  // of the model where that is an average, else empty
  bool weights_of_best = false;  // the best epoch's, else those after the last step
  std::size_t best_epoch = 0;    // by train.monitor; 0: none is done
  std::string began_from;        // a checkpoint; empty: none
  struct {
    std::string train, test;  // fingerprints, "" without samples
  } data;
  int ranks = 1;
  int threads = 1;                     // of each rank
  std::vector<std::string> placement;  // of each rank: its host and the cores it may run on, "node1: 0-3"
  std::vector<std::size_t> shards;     // of each rank, how many it has in the end
  nlohmann::ordered_json config;
  nlohmann::ordered_json provenance;
};

// Replaces the file atomically. Throws std::system_error.
void write_summary(const std::filesystem::path& path, const Summary& summary);

}  // namespace lockstep::report
