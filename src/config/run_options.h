// What src/run/ obeys. It is declared here, since the configuration lies below that floor.
#pragma once

#include <cstddef>
#include <string>

#include "data/evaluated_views.h"

namespace lockstep::config {

// The [compute] section.
struct ComputeOptions {
  // OpenMP threads of each rank; 0: OMP_NUM_THREADS, else the host's cores shared among its ranks.
  int threads = 0;
  // For speed alone: one of kernels::kKernelSets' names, or "auto", the best of the rank's processor.
  std::string kernels = "auto";
  // Divide the shards among the ranks by how fast these are, again when that changes; else evenly.
  bool balance = false;
};

// The [checkpoint] section.
struct CheckpointOptions {
  std::size_t every_epochs = 1;  // 0: none at the end of epochs
  std::size_t every_steps = 0;   // 0: none between
  std::size_t keep = 3;          // of the newest, at least 1
};

// The [log] section.
struct LogOptions {
  bool steps = false;        // write steps.csv
  bool gradients = false;    // write gradients.csv
  bool layers = false;       // write layers.csv, see run/layer_log.h
  bool film = false;         // write film.csv, see run/film.h
  bool json = false;         // write events.jsonl
  bool tensorboard = false;  // write event files for TensorBoard
};

// The [eval] section.
struct EvalOptions {
  data::Views views = data::Views::kOne;  // of each sample that is evaluated
  // After how many epochs training evaluates the test samples, at least 1. It does so anyway after the last
  // epoch, and after one that is the best by what train.patience goes by.
  std::size_t every_epochs = 1;
};

// train.patience and train.monitor.
struct EarlyStoppingOptions {
  // Stop when an evaluation finds that `monitor` has not improved for so many epochs; 0: never.
  std::size_t patience = 0;
  // What decides that, and which epoch's checkpoint is the best; auto: test_loss, or train_loss without a
  // test set.
  std::string monitor = "auto";
};

}  // namespace lockstep::config
