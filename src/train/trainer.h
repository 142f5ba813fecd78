// The training loop's two lengths: a step and an epoch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "comm/communicator.h"
#include "data/batch_loader.h"
#include "data/normalizer.h"
#include "data/shard_plan.h"
#include "nn/model.h"
#include "optim/schedule.h"
#include "optim/sgd.h"
#include "reduce/reducer.h"
#include "train/score.h"

namespace lockstep::train {

struct TrainOptions {
  std::size_t epochs = 10;
  std::size_t batch_size = 128;  // global, over all ranks
  optim::SgdOptions sgd;
  optim::ScheduleOptions schedule;
  std::filesystem::path init_from;  // a model.safetensors to start from; empty: model.init
};

struct StepReport {
  std::size_t step = 0;   // 1, 2, ... over the whole run
  std::size_t epoch = 0;  // 1, 2, ...
  std::size_t samples = 0;
  double loss = 0.0;  // mean over this step's batch before its update, the L2 term included
  double learning_rate = 0.0;
};

// What a trainer works with; all must outlive it.
struct TrainerParts {
  const comm::Communicator& communicator;
  const data::ShardPlan& plan;
  data::BatchLoader& loader;
  const data::Normalizer& normalizer;
  const nn::Model& model;
  kernels::Loss loss;
  reduce::Reducer& reducer;
  int threads;
};

// Holds this rank's replica of the parameters. All members that train are collective; afterwards every rank
// holds the same parameters.
class Trainer {
 public:
  // parameters: the arena to start from (laid out by the model), the same on all ranks.
  Trainer(const TrainerParts& parts, const TrainOptions& options, AlignedBuffer<float> parameters);

  using StepObserver = std::function<void(const StepReport&)>;

  // One pass over the training samples. The score is the running mean over them: each sample counts with the
  // weights that its step started from. Throws AgreedError on all ranks when the loss or a gradient stops
  // being finite.
  Score epoch(const StepObserver& observe);

  std::size_t epochs_done() const { return epoch_; }
  std::size_t steps_done() const { return step_; }
  std::span<const float> parameters() const { return parameters_.span(); }

  // 0.5 l2 sum W^2 of the weights as they are.
  double l2_loss() const;

  // Bytes that this rank holds for training: parameters, gradients, momentum, activations, samples.
  std::size_t bytes() const;

 private:
  // The sums of all ranks for step `step_in_epoch`.
  kernels::LossSums step(std::size_t step_in_epoch, StepReport& report);
  // Gathers the blocks, runs them forward and backward; gradients go to the reducer.
  kernels::LossSums pass(std::span<const data::Block> blocks, std::size_t global_samples);
  void update(std::span<const float> gradient, double learning_rate);
  [[noreturn]] void report_divergence(std::size_t step, std::span<const float> gradient);

  TrainerParts parts_;
  TrainOptions options_;
  optim::Schedule schedule_;
  optim::Sgd sgd_;
  AlignedBuffer<float> parameters_;
  nn::Workspace workspace_;
  std::vector<std::uint8_t> labels_;
  std::size_t epoch_ = 0, step_ = 0;  // done so far
};

}  // namespace lockstep::train
