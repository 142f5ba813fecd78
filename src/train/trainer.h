// The training loop's two lengths: a step and an epoch.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "comm/communicator.h"
#include "data/batch_loader.h"
#include "data/normalizer.h"
#include "data/shard_plan.h"
#include "liveness/supervision.h"
#include "nn/model.h"
#include "optim/average.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "reduce/reducer.h"
#include "train/score.h"
#include "train/training_state.h"

namespace lockstep::train {

struct TrainOptions {
  std::size_t epochs = 10;
  std::size_t batch_size = 128;  // global, over all ranks
  double label_smoothing = 0.0;  // of cross_entropy, in training alone; see kernels/loss.h
  optim::OptimizerOptions optimizer;
  optim::ScheduleOptions schedule;
  double clip_norm = 0.0;                // of the gradient, see gradient_norms.h; 0: as large as it is
  double average_decay = 0.0;            // see optim/average.h; 0: no average
  std::size_t check_replicas_every = 0;  // steps between comparisons of all ranks' weights; 0: once an epoch
  double max_seconds = 0.0;              // stop after the step that ends later; 0: never
};

struct StepReport {
  std::size_t step = 0;    // 1, 2, ... over the whole run
  std::size_t epoch = 0;   // 1, 2, ...
  kernels::LossSums sums;  // over the batch of all ranks, before this step's update
  double l2_loss = 0.0;    // likewise
  double target_unit = 1.0;
  double learning_rate = 0.0;
  std::size_t repeats =
      0;              // how often the step was computed again because its gradients did not fit their scales
  StopRequests stop;  // what all ranks know of at this step

  // The mean over the step's batch, the L2 term included, in the units of the data set's targets.
  double loss() const {
    const double mean = sums.loss.value() / static_cast<double>(sums.samples) + l2_loss;
    return mean * target_unit * target_unit;
  }
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
  std::uint64_t seed;        // of the network's own draws
  double target_unit = 1.0;  // DatasetInfo::target_stddev: what losses are reported in
  liveness::Supervision supervision = {};
};

// Rows of the largest pass, forward and backward, that a rank with so many shards makes.
std::size_t largest_pass(const data::ShardPlan& plan, const nn::Model& model, std::size_t shards);

// Holds this rank's replica of the parameters; of the optimizer's state and of the average what is this
// rank's part by the reducer's division, which alone it updates. All members that train are collective;
// afterwards every rank holds the same parameters.
class Trainer {
 public:
  // parameters: the arena to start from (laid out by the model), the same on all ranks.
  Trainer(const TrainerParts& parts, const TrainOptions& options, AlignedBuffer<float> parameters);

  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;
  ~Trainer();

  // Between two steps of an epoch the other ranks' parameters may still be on their way. An observer that
  // wants MPI for itself asks for parameters() first.
  using StepObserver = std::function<void(const StepReport&)>;

  // The rest of one pass over the training samples. The score is the running mean over all of them: each
  // sample counts with the weights that its step started from. Nothing where a step was asked to stop before
  // the pass was over; the next call goes on. Throws CollectiveError on all ranks when the loss or a gradient
  // stops being finite.
  std::optional<Score> epoch(const StepObserver& observe);

  // The next step; an epoch's first orders the samples anew. Throws CollectiveError on all ranks when the
  // loss or a gradient is not finite, and when the ranks' weights are found to differ.
  StepReport step();

  // The first half of a step: the gradient of its batch is in the reducer, the parameters are as they were.
  // Throws like step.
  StepReport compute_gradient();

  // From the next step on this rank computes the shards that `loader` holds, which is of the same plan and
  // takes the place of the parts' own. Of all ranks' loaders each shard is in one.
  void go_on_with(data::BatchLoader loader);

  // Who looks at the passes of the steps that follow; nobody: null. It must outlive them.
  void set_observer(nn::Observer* observer) { observer_ = observer; }

  const TrainerParts& parts() const { return parts_; }
  const TrainOptions& options() const { return options_; }
  std::size_t epochs_done() const { return step_ / parts_.plan.steps_per_epoch(); }
  std::size_t steps_done() const { return step_; }
  std::size_t step_in_epoch() const { return step_ % parts_.plan.steps_per_epoch(); }  // of the next step
  // Waits for those that are on their way. Not collective.
  std::span<const float> parameters() const;
  bool keeps_average() const { return average_.is_kept(); }
  // Of the parameters; empty where none is kept. Valid until the next step. Collective, as are all that ask
  // for it.
  std::span<const float> average();
  // What is evaluated and saved as the model: the average, or the parameters where none is kept.
  std::span<const float> network() { return keeps_average() ? average() : parameters(); }

  // How many samples the epoch under way has used so far; all of them after its last step.
  std::size_t samples_of_epoch() const { return static_cast<std::size_t>(progress_.sums.samples); }

  // The state of all ranks. Valid until the next step; see TrainingStateView of ranks other than 0.
  // Collective.
  TrainingStateView state_view();
  TrainingState state() { return copy_of(state_view()); }
  // Goes on from such a state. Throws ModelError if it is of another network or optimizer.
  void restore(const TrainingState& state);

  // Begins, before the first step, with these weights and, if takes_momentum_of(state), its momentum; its
  // steps, its sums and its average do not count. Throws ModelError if it is of another network.
  void begin_with(const TrainingState& state);
  // Whether both have a momentum, of the same optimizer. The moments of adam are no such: they count steps.
  bool takes_momentum_of(const TrainingState& state) const;
  bool has_momentum() const { return optimizer_.state().size() == 1; }

  // Bytes that this rank holds for training: parameters, its part of their average and of the optimizer's
  // state, gradients, activations, samples.
  std::size_t bytes() const;

 private:
  // A step, after which the other ranks' parameters may be on their way.
  StepReport advance();
  // compute_gradient, but for the sum's arrival.
  StepReport begin_gradient();
  // This rank's sums for its blocks of a step; gradients go to the reducer.
  kernels::LossSums forward_and_backward(std::span<const data::Block> blocks, std::size_t global_samples);
  // The outputs for blocks that fit the workspace together, whose layers' outputs it holds then, and whose
  // targets and IDs are in targets_ and sample_ids_.
  kernels::ConstMatrix forward(std::span<const data::Block> blocks);
  // Calls look(rows) with the workspace as forward leaves it, for one pass after the other.
  template <typename Look>
  void for_each_forward(std::span<const data::Block> blocks, Look&& look);
  nn::PassContext pass_of(std::size_t rows, nn::Arrivals* arrivals = nullptr) const;
  // The sums for blocks that fit the workspace together; `last`: no others follow in this step.
  kernels::LossSums pass(std::span<const data::Block> blocks, std::size_t global_samples, bool last);
  // The sums over the ranks. Where they wait for one another, once their passes are over.
  RankSums add_up(const kernels::LossSums& own);
  reduce::Reducer::Outcome finish_reduction();
  StopRequests own_stop_requests() const;
  void update(double learning_rate);
  // Of some chunks, whose sums are there.
  void update(std::span<const reduce::Division::OwnChunk> own, std::span<const optim::Optimizer::Part> parts);
  bool has_lars() const { return options_.optimizer.kind == optim::OptimizerOptions::Kind::kLars; }
  bool needs_norms() const { return has_lars() || options_.clip_norm != 0.0; }
  // What the update of each tensor goes by.
  std::vector<optim::Optimizer::Part> parts_of_update(double learning_rate) const;
  // Of a tensor without gradient: towards the mean of what the step's micro-batches found.
  void move_running_mean(std::size_t tensor);
  // Throws ModelError unless it is of as many parameters.
  void expect_parameters(const TrainingState& state) const;
  // What of a state's arrays is this rank's.
  optim::OptimizerState own_part(const optim::OptimizerState& whole) const;
  const reduce::Division& division() const { return parts_.reducer.division(); }
  // Of all ranks, on rank 0; nothing on the others. Collective.
  std::vector<float> gather_parts(std::span<const float> own) const;
  // Throws CollectiveError where the ranks differ in parameters, or in the average if each has all of it.
  void expect_replicas(const StepReport& report) const;

  TrainerParts parts_;
  TrainOptions options_;
  optim::Schedule schedule_;
  optim::Optimizer optimizer_;
  AlignedBuffer<float> parameters_;
  nn::Observer* observer_ = nullptr;
  optim::Average average_;
  std::vector<float> whole_average_;       // of all ranks, from when it is asked for to the next step
  optim::OptimizerState whole_optimizer_;  // likewise, on rank 0
  nn::Workspace workspace_;
  std::chrono::steady_clock::time_point deadline_;  // of options.max_seconds
  std::vector<float> targets_;                      // of a pass's rows
  std::vector<std::uint32_t> sample_ids_;           // their samples' IDs
  std::vector<std::size_t> micro_batches_;          // their rows, each
  std::size_t step_ = 0;                            // done so far
  EpochProgress progress_;
};

}  // namespace lockstep::train
