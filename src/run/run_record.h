// What a training run keeps beside the trainer's state, from epoch to epoch and from checkpoint to
// checkpoint.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nn/safetensors.h"
#include "report/run_files.h"

namespace lockstep::run {

struct RunRecord {
  report::EpochRow last;  // the last whole epoch's row; epoch 0: none yet
  // Of the epoch under way:
  std::size_t rescaled_steps = 0;
  double seconds = 0.0;
  double compute_seconds = 0.0, wait_seconds = 0.0, transfer_seconds = 0.0;  // means over the ranks
  double last_learning_rate = 0.0;
  std::vector<double>
      gradient_norms;  // sums over its steps, one per tensor that has one; empty without log.gradients
  std::size_t gradient_steps = 0;
  // Of the run:
  double total_seconds = 0.0;        // of training, without evaluations
  std::optional<double> best;        // of train.monitor
  std::size_t best_epoch = 0;        // 0: none yet
  report::EpochRow best_row;         // of that epoch
  std::optional<double> best_saved;  // of the epochs that a checkpoint was kept of
  std::string began_from;            // the checkpoint that --resume-from gave it; empty: none
};

// What a checkpoint keeps: the record, the rows of metrics.csv, the configuration and, as data::Schema writes
// it, what the network is trained on ("" in checkpoints that older versions wrote).
struct SavedRun {
  RunRecord record;
  std::string metrics;
  nlohmann::ordered_json config;
  std::string trained_on;
  std::string blis_family;  // of BLIS's kernels, which decided last bits in version 0.1; later ones keep none
};
nn::TensorMetadata to_metadata(const SavedRun& run);
// Throws ModelError, which names the file, where an entry is missing or wrong.
SavedRun from_metadata(const nn::TensorMetadata& metadata, const std::string& name);

}  // namespace lockstep::run
