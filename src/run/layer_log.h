// What the layers of a network do, as an epoch leaves it: what log.layers writes to layers.csv.
//
// A few training samples, the first of shard 0, go through the network as a micro-batch of their own, forward
// and backward. Rank 0 has them at any number of ranks, and computes it all: the numbers are the same at any,
// and the training does not know of them.
#pragma once

#include <span>
#include <vector>

#include "data/dataset.h"
#include "report/layers_file.h"
#include "run/experiment.h"

namespace lockstep::run {

// On rank 0 alone.
class LayerLog {
 public:
  // What is referred to must outlive it.
  LayerLog(const Experiment& experiment, const config::RunConfig& run, int threads);

  // Keeps the parameters before the epoch's last step, to compare with.
  void keep(std::span<const float> parameters) { before_.assign(parameters.begin(), parameters.end()); }

  // A row for each layer. step: done so far.
  std::vector<report::LayerRow> look(std::span<const float> parameters, std::size_t step) const;

 private:
  const Experiment& experiment_;
  const config::RunConfig& run_;
  int threads_;
  std::vector<std::uint32_t> samples_;  // their IDs
  std::vector<float> before_;           // empty: nothing is kept
};

}  // namespace lockstep::run
