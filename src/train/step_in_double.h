// One training step, array by array, in double precision and in plain loops: what the arrays of a real step
// are checked against, and what another program's are compared with.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernels/loss.h"
#include "nn/model.h"
#include "train/trainer.h"

namespace lockstep::train {

// Of each tensor of the model, in its order, numbers laid out like its part of the arena.
using OfTensors = std::vector<std::vector<double>>;

// What a step computes by.
struct StepRules {
  const nn::Model& model;
  kernels::Loss loss;
  const TrainOptions& options;
  std::uint64_t seed = 0;
  int threads = 1;
  liveness::Progress* progress = nullptr;  // which hears of every layer
};

// What a step begins with. Rows are the batch's samples, micro-batch by micro-batch.
struct StepStart {
  std::size_t step = 0;  // done before
  double learning_rate = 0.0;
  std::vector<double> parameters = {};              // the arena
  std::map<std::string, OfTensors> optimizer = {};  // by Optimizer::state's names
  std::vector<double> inputs = {};                  // (rows, features)
  std::vector<float> targets = {};                  // (rows): classes or values
  std::vector<std::uint32_t> sample_ids = {};       // (rows)
  std::vector<std::size_t> micro_batches = {};      // rows of each that is not empty

  std::size_t rows() const { return targets.size(); }
};

// What it computes, in this order. Output k is that of layer k - 1, output 0 the input (see skips.h). In what
// is given to others an array may be empty: it is not known.
struct StepArrays {
  std::vector<std::vector<double>> outputs;    // (rows, width) each, as layers have them
  double loss = 0.0;                           // the mean, with the L2 term
  std::vector<std::vector<double>> gradients;  // of the loss, by each output
  OfTensors parameter_gradients;               // with the L2 term's; of running statistics, what they move to
  std::map<std::string, OfTensors> optimizer;  // after the step
  OfTensors updated;                           // parameters after the step
};

// Of no arrays yet, for such a model and optimizer.
StepArrays unknown_arrays(const StepRules& rules);

// The step's arrays. Each is computed from the ones before it: those of `given` as far as these are known,
// else its own. So without `given` it is the step; with the arrays of another program's step it says of each
// what it should be, given that program's earlier ones.
StepArrays step_in_double(const StepRules& rules, const StepStart& start, const StepArrays* given = nullptr);

}  // namespace lockstep::train
