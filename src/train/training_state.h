// What training goes on from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/loss.h"
#include "optim/optimizer.h"

namespace lockstep::train {

// What an epoch has summed up so far.
struct EpochProgress {
  kernels::LossSums sums;
  double weighted_l2 = 0.0;  // sum over steps of their L2 term times their samples
};

// Everything that training goes on from, beside what the configuration says.
struct TrainingState {
  std::size_t step = 0;               // done so far
  std::vector<float> parameters;      // the arena
  optim::OptimizerState optimizer;    // arenas by their names
  std::vector<float> average;         // of the parameters; empty where none is kept
  std::vector<std::int32_t> reducer;  // Reducer::state
  EpochProgress progress;             // of the epoch that `step` lies in

  // The network to use: the average, or the parameters where none is kept.
  const std::vector<float>& network() const { return average.empty() ? parameters : average; }
};

// The same without copies: valid as long as its source, and until that changes.
struct TrainingStateView {
  std::size_t step = 0;
  std::span<const float> parameters;
  optim::OptimizerStateView optimizer;  // of a trainer on several ranks, each with its part: on rank 0 alone
  std::span<const float> average;
  std::vector<std::int32_t> reducer;
  EpochProgress progress;
};

TrainingState copy_of(const TrainingStateView& view);

}  // namespace lockstep::train
