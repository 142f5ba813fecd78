// How long an epoch would take on other numbers of ranks: a model, from measured steps and a network's
// latency and bandwidth.
//
// A step of one rank computes forward and backward over its blocks, waits for what is left of the gradients'
// sum, and updates. Each part is a line in the rank's blocks and rows, fitted to the measurements near them.
// Across hosts buckets of the sum leave while backward goes on, from the arena's end, and only what is left
// then is waited for; without overlap they follow one another when it is over, with a latency each. Where the
// update is divided it takes the time of the largest part, and the parameters of the other parts come while
// the next forward goes on, from the arena's beginning. sum_model.h has what messages cost. Its formula for a
// host goes from the number of ranks that was measured to others.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "scaling/sum_model.h"

namespace lockstep::scaling {

// A rank's load in a step.
struct StepLoad {
  std::size_t blocks = 0, rows = 0;
};

// seconds = fixed + per_block * blocks + per_row * rows, no coefficient below 0.
struct CostLine {
  double fixed = 0.0, per_block = 0.0, per_row = 0.0;
  double seconds(StepLoad load) const {
    return fixed + per_block * static_cast<double>(load.blocks) + per_row * static_cast<double>(load.rows);
  }
};

struct MeasuredPart {
  StepLoad load;
  double seconds = 0.0;
};

// The line with the least sum of squared relative errors, those of loads like `near` counting most.
// Needs a measurement.
CostLine fit(std::span<const MeasuredPart> measured, StepLoad near);

// A step by itself: forward with gathering; the update of what is a rank's; and what is left, which each rank
// does at any number of ranks.
struct StepSeconds {
  double forward = 0.0, backward = 0.0, update = 0.0, rest = 0.0;
  double all() const { return forward + backward + update + rest; }
};

struct MeasuredStep {
  StepLoad load;
  StepSeconds seconds;
};

// What steps cost a rank of a layout: so many ranks at work on its host, each with so many threads.
struct LayoutCost {
  int ranks_on_host = 1, threads = 1;
  std::vector<MeasuredStep> steps;  // at least one

  StepSeconds seconds(StepLoad load) const;
  // How well steps follow from one another: the median relative error of a measured step as it is fitted to
  // the others. 0 with a single one.
  double error() const;
};

// What is trained, as far as time goes.
struct Workload {
  std::size_t samples = 0, batch = 0, shards = 0;
  Sums sums;
};

struct Prediction {
  int ranks = 1, threads = 1, hosts = 1;
  std::size_t batch = 0, shards = 0;
  StepSeconds step;     // a full one's, of the rank with the most to do
  double sum = 0.0;     // seconds that the gradients' sum costs: by which it outlasts backward, or delays it
  double gather = 0.0;  // that parameters of the others' parts cost: by which they delay forward
  double hidden = 0.0;  // share of the time of both that costs nothing
  double epoch = 0.0;   // seconds

  double exposed() const { return sum + gather; }
  double samples_per_second(const Workload& workload) const {
    return static_cast<double>(workload.samples) / epoch;
  }
};

class ScalingModel {
 public:
  // layouts: at least one, of which those with the same threads describe a host with one rank and with more.
  ScalingModel(Workload workload, Cluster cluster, std::vector<LayoutCost> layouts);

  // threads must be those of a layout. More ranks than shards are taken as so many shards.
  // weak: every rank has a batch of its own, so that the global one grows with the ranks.
  Prediction predict(int ranks, int threads, bool weak = false) const;

  // The layout of all of so many cores, with a number of threads that was measured, whose epoch is the
  // shortest; an infinite epoch where there is none.
  Prediction best_on(int cores, bool weak = false) const;

  // What most of the cores' time beyond one core's work goes into, between the two.
  static std::string limit(const Prediction& one, const Prediction& many);

  const Workload& workload() const { return workload_; }
  // Each number of threads once.
  std::vector<int> threads() const;

 private:
  const LayoutCost& layout(int ranks_on_host, int threads) const;

  Workload workload_;
  Cluster cluster_;
  std::vector<LayoutCost> layouts_;
};

}  // namespace lockstep::scaling
