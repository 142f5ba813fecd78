// Short trainings on a part of the data whose outcome is known beforehand, for lockstep sanity.
//
// All train the configuration's network with its loss, optimizer and learning rate (of SGD, in proportion to
// the batch where that is smaller); without what makes a training slower to learn or to judge: augmentation,
// dropout, label smoothing, decay, averages, schedules.
// There is one shard, so that batch norm has the whole batch. One process.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/run_config.h"
#include "run/altered_data.h"
#include "run/check.h"
#include "run/job.h"

namespace lockstep::run {

struct ShortTraining {
  std::string name;  // of its curve
  Alteration data;
  std::size_t batch = 0;
  std::size_t steps = 0;    // at most
  double stop_below = 0.0;  // ends when the loss is below this part of the first
};

struct ShortOutcome {
  std::string name;
  std::vector<double> losses;    // of each step's batch, before its update
  std::string diverged;          // why it ended; "": it did not diverge
  double zero_loss = 0.0;        // of the training samples, where the network's outputs are all 0 or,
                                 // behind a last activation, its value at 0
  double constant_loss = 0.0;    // of the best outputs that are the same for all training samples
  bool has_output_bias = false;  // the last layer has one that learns
  bool mixes_samples = false;    // as Model::mixes_samples
  double score = 0.0;   // of the test samples: accuracy or, of values, 1 - mean squared error / variance
  double chance = 0.0;  // what outputs that are the same for all samples reach at most
  std::size_t test_samples = 0;

  double first() const { return losses.front(); }
  // Over the last few steps.
  double last() const;
};

// Throws CollectiveError as training does, but where it diverges.
ShortOutcome train_briefly(Job& job, const config::RunConfig& run, int threads,
                           const ShortTraining& training);

// How long the trainings of a configuration are: bounded by the multiply-adds of its network.
struct SanityPlan {
  ShortTraining few, labels, shuffled, zeros;
};
SanityPlan plan_sanity(const config::RunConfig& run);

// Verdicts.
Check check_first_loss(const ShortOutcome& labels, kernels::Loss loss);
Check check_few_samples(const ShortOutcome& few, std::size_t samples, double stop_below);
Check check_labels(const ShortOutcome& labels, const ShortOutcome& shuffled, bool classes);
Check check_zero_inputs(const ShortOutcome& zeros);

}  // namespace lockstep::run
