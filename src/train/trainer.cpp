#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/simd.h"
#include "kernels/arrays.h"
#include "train/arriving.h"
#include "train/divergence.h"
#include "train/gradient_norms.h"
#include "train/replica_check.h"

namespace lockstep::train {

using liveness::Activity;
using liveness::Span;

namespace {

// Rows that one forward and backward pass may hold; a rank's part of a larger batch takes several passes.
// Never less than a block, nor than a micro-batch where a layer mixes its samples.
constexpr std::size_t kPassRows = 2 * data::kMaxBlockRows;
constexpr std::size_t kPassBytes = std::size_t{96} << 20;

std::chrono::steady_clock::time_point deadline_after(double seconds) {
  using Clock = std::chrono::steady_clock;
  const std::chrono::duration<double> wanted(seconds);
  const Clock::time_point now = Clock::now();
  if (seconds <= 0.0 || wanted >= Clock::time_point::max() - now) return Clock::time_point::max();
  return now + std::chrono::duration_cast<Clock::duration>(wanted);
}

// The longest run of blocks, from the first on, that fits into one pass; of whole micro-batches where these
// must stay together.
std::size_t blocks_of_pass(std::span<const data::Block> blocks, std::size_t max_rows,
                           bool whole_micro_batches) {
  std::size_t rows = 0, count = 0;
  while (count < blocks.size() && rows + blocks[count].rows() <= max_rows) rows += blocks[count++].rows();
  if (whole_micro_batches && count < blocks.size())
    while (count > 0 && blocks[count - 1].shard == blocks[count].shard) --count;
  return count;
}

}  // namespace

std::size_t largest_pass(const data::ShardPlan& plan, const nn::Model& model, std::size_t shards) {
  const std::size_t per_shard = std::min(plan.micro_batch(), plan.samples() / plan.shards() + 1);
  const std::size_t within = std::min(
      kPassRows, nn::Workspace::rows_within(kPassBytes, model, nn::Workspace::Use::kForwardAndBackward));
  const std::size_t least = model.mixes_samples() ? per_shard : std::min(per_shard, data::kMaxBlockRows);
  return std::min(std::max(within, least), shards * per_shard);
}

Trainer::Trainer(const TrainerParts& parts, const TrainOptions& options, AlignedBuffer<float> parameters)
    : parts_(parts),
      options_(options),
      schedule_(options.schedule, options.optimizer.learning_rate, options.epochs,
                parts.plan.steps_per_epoch()),
      optimizer_(options.optimizer, division().own_size()),
      parameters_(std::move(parameters)),
      average_(options.average_decay, division().own_of(parameters_.span())),
      workspace_(parts.model, largest_pass(parts.plan, parts.model, parts.loader.shards().size()),
                 nn::Workspace::Use::kForwardAndBackward),
      deadline_(deadline_after(options.max_seconds)),
      targets_(workspace_.max_rows()),
      sample_ids_(workspace_.max_rows()) {}

// Parameters may be on their way into the arena.
Trainer::~Trainer() { parts_.reducer.give_up(); }

std::optional<Score> Trainer::epoch(const StepObserver& observe) {
  do {
    const StepReport report = advance();
    const bool stops = report.stop.any() && step_in_epoch() != 0;
    if (stops) parameters();
    if (observe) observe(report);
    if (stops) return std::nullopt;
  } while (step_in_epoch() != 0);
  const auto [sums, weighted_l2] = std::exchange(progress_, {});
  const auto samples = static_cast<double>(sums.samples);
  const double mean = sums.loss.value() / samples + weighted_l2 / samples;
  return Score{.loss = mean * parts_.target_unit * parts_.target_unit,
               .correct = sums.correct,
               .samples = sums.samples};
}

StepReport Trainer::step() {
  const StepReport report = advance();
  parameters();
  return report;
}

StepReport Trainer::advance() {
  whole_average_ = {};
  whole_optimizer_.clear();
  const StepReport report = begin_gradient();
  update(report.learning_rate);
  {
    const Span span(parts_.supervision.progress, Activity::kTransfer, step_ + 1);
    parts_.reducer.begin_gather(parameters_.span());
  }
  ++step_;
  progress_.sums.add(report.sums);
  progress_.weighted_l2 += report.l2_loss * static_cast<double>(report.sums.samples);
  const std::size_t every = options_.check_replicas_every;
  if (step_in_epoch() == 0 || (every != 0 && step_ % every == 0)) expect_replicas(report);
  return report;
}

void Trainer::expect_replicas(const StepReport& report) const {
  const std::vector<nn::Tensor>& tensors = parts_.model.tensors();
  check_replicas(parts_.communicator, tensors, parameters(), "weights", report.step, report.epoch);
  if (average_.is_kept() && !division().is_divided())
    check_replicas(parts_.communicator, tensors, average_.values(), "averaged weights", report.step,
                   report.epoch);
}

StepReport Trainer::compute_gradient() {
  const StepReport report = begin_gradient();
  parts_.reducer.wait_for_whole_sum();
  return report;
}

StepReport Trainer::begin_gradient() {
  using reduce::Reducer;
  if (step_in_epoch() == 0) parts_.loader.start_epoch(epochs_done());
  const std::vector<data::Block> blocks = parts_.loader.blocks(step_in_epoch());
  const std::size_t global_samples = parts_.plan.batch_samples(step_in_epoch());

  StepReport report;
  report.step = step_ + 1;
  report.epoch = epochs_done() + 1;
  report.target_unit = parts_.target_unit;
  Reducer::Outcome outcome = Reducer::Outcome::kRepeat;
  for (std::size_t tries = 0; outcome == Reducer::Outcome::kRepeat; ++tries) {
    report.repeats = tries;
    const RankSums all = add_up(forward_and_backward(blocks, global_samples));
    report.sums = all.losses;
    report.stop = all.stop;
    outcome = finish_reduction();
  }
  report.l2_loss = l2_loss(parts_.model, parameters(), options_.optimizer.l2, parts_.threads);
  report.learning_rate = schedule_.learning_rate(step_);
  if (report.sums.loss.invalid != 0 || outcome == Reducer::Outcome::kNotFinite) {
    parts_.reducer.wait_for_whole_sum();
    Culprit culprit(parts_, parameters());
    for_each_forward(blocks, [&](std::size_t rows) { culprit.see(workspace_, rows); });
    throw culprit.error(report.step);
  }
  return report;
}

RankSums Trainer::add_up(const kernels::LossSums& own) {
  const Span wait(parts_.supervision.progress, Activity::kWait, step_ + 1);
  auto sums = to_integers({own, own_stop_requests()});
  parts_.reducer.add_up(sums);
  return from_integers(sums);
}

void Trainer::go_on_with(data::BatchLoader loader) {
  parts_.loader = std::move(loader);
  if (step_in_epoch() != 0) parts_.loader.start_epoch(epochs_done());
  const std::size_t rows = largest_pass(parts_.plan, parts_.model, parts_.loader.shards().size());
  if (rows == workspace_.max_rows()) return;
  workspace_ = nn::Workspace(parts_.model, rows, nn::Workspace::Use::kForwardAndBackward);
  targets_.resize(rows);
  sample_ids_.resize(rows);
}

reduce::Reducer::Outcome Trainer::finish_reduction() {
  const Span transfer(parts_.supervision.progress, Activity::kTransfer, step_ + 1);
  return parts_.reducer.finish();
}

kernels::LossSums Trainer::forward_and_backward(std::span<const data::Block> blocks,
                                                std::size_t global_samples) {
  kernels::LossSums sums;
  do {  // without blocks one pass of no rows
    const std::size_t count = blocks_of_pass(blocks, workspace_.max_rows(), parts_.model.mixes_samples());
    sums.add(pass(blocks.first(count), global_samples, count == blocks.size()));
    blocks = blocks.subspan(count);
  } while (!blocks.empty());
  return sums;
}

nn::PassContext Trainer::pass_of(std::size_t rows, nn::Arrivals* arrivals) const {
  return {parts_.threads,
          parts_.seed,
          static_cast<std::uint32_t>(step_),
          std::span(sample_ids_).first(rows),
          micro_batches_,
          parts_.supervision.progress,
          observer_,
          arrivals};
}

kernels::ConstMatrix Trainer::forward(std::span<const data::Block> blocks) {
  std::size_t rows = 0;
  for (const data::Block& block : blocks) rows += block.rows();
  micro_batches_ = data::micro_batch_rows(blocks);
  const kernels::Matrix input = workspace_.input(rows);
  {
    const Span span(parts_.supervision.progress, Activity::kGather, step_ + 1);
    parts_.loader.gather(blocks, parts_.normalizer, {input.data, rows * input.cols},
                         std::span(targets_).first(rows), std::span(sample_ids_).first(rows), parts_.threads);
  }
  ForwardSpan span(parts_.reducer, parts_.supervision.progress, step_ + 1);
  return parts_.model.forward(parameters_.span(), workspace_, rows, pass_of(rows, &span));
}

template <typename Look>
void Trainer::for_each_forward(std::span<const data::Block> blocks, Look&& look) {
  while (!blocks.empty()) {
    const std::size_t count = blocks_of_pass(blocks, workspace_.max_rows(), parts_.model.mixes_samples());
    look(forward(blocks.first(count)).rows);
    blocks = blocks.subspan(count);
  }
}

kernels::LossSums Trainer::pass(std::span<const data::Block> blocks, std::size_t global_samples, bool last) {
  const kernels::ConstMatrix outputs = forward(blocks);
  const std::size_t rows = outputs.rows;
  kernels::LossSums sums;
  {
    const Span span(parts_.supervision.progress, Activity::kForward, step_ + 1);
    const double scale = 1.0 / static_cast<double>(global_samples);
    sums = kernels::evaluate_loss(parts_.loss, outputs, std::span(targets_).first(rows), scale,
                                  workspace_.output_gradient(rows), parts_.threads, options_.label_smoothing);
  }
  std::vector<std::size_t> block_rows;
  for (const data::Block& block : blocks) block_rows.push_back(block.rows());
  const Span span(parts_.supervision.progress, Activity::kBackward, step_ + 1);
  parts_.reducer.begin_pass(block_rows, last);
  parts_.model.backward(parameters_.span(), workspace_, rows, parts_.reducer, pass_of(rows));
  return sums;
}

void Trainer::update(double learning_rate) {
  liveness::Progress* const progress = parts_.supervision.progress;
  const std::span<const reduce::Division::OwnChunk> own = division().own();
  if (needs_norms()) wait_for_sum(own.size(), parts_.reducer, progress, step_ + 1);
  std::vector<optim::Optimizer::Part> parts;
  {
    const Span span(progress, Activity::kUpdate, step_ + 1);
    parts = parts_of_update(learning_rate);
    const std::vector<nn::Tensor>& tensors = parts_.model.tensors();
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (!tensors[t].has_gradient()) move_running_mean(t);  // on every rank: there are few
  }
  std::size_t updated = 0;
  do {
    const std::size_t there = wait_for_sum(updated + 1, parts_.reducer, progress, step_ + 1);
    const Span span(progress, Activity::kUpdate, step_ + 1);
    update(own.subspan(updated, there - updated), parts);
    updated = there;
  } while (updated < own.size());
}

void Trainer::update(std::span<const reduce::Division::OwnChunk> own,
                     std::span<const optim::Optimizer::Part> parts) {
  using reduce::Division;  // all that belongs to a chunk stays in the first-level cache
  parallel_ranges(own.size(), 1, parts_.threads, [&](std::size_t begin, std::size_t end) {
    alignas(64) float scratch[Division::kChunk];
    for (; begin < end; ++begin) {
      const Division::OwnChunk& chunk = own[begin];
      const nn::Tensor& tensor = parts_.model.tensors()[chunk.tensor];
      if (tensor.has_gradient() && !tensor.learns()) continue;  // its average has its values from the start
      const auto w = parameters_.span().subspan(chunk.begin, chunk.size);
      if (tensor.learns()) {
        const auto gradient =
            parts_.reducer.read(chunk.tensor, chunk.begin, std::span(scratch).first(chunk.size));
        optimizer_.update(w, gradient, chunk.place, parts[chunk.tensor]);
      }
      average_.follow(w, chunk.place, /*first_step=*/step_ == 0);
    }
  });
}

std::span<const float> Trainer::parameters() const {
  wait_for(parameters_.span(), parameters_.size(), parts_.reducer, parts_.supervision.progress, step_);
  return parameters_.span();
}

std::vector<optim::Optimizer::Part> Trainer::parts_of_update(double learning_rate) const {
  const std::vector<nn::Tensor>& tensors = parts_.model.tensors();
  std::vector<double> squares(tensors.size());
  if (needs_norms()) squares = squared_norms(parts_.reducer, tensors, parts_.communicator, parts_.threads);
  const double clip = clip_factor(options_.clip_norm, squares);
  std::vector<optim::Optimizer::Part> parts;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const nn::Tensor& tensor = tensors[t];
    optim::Optimizer::Part& part = parts.emplace_back();
    part = {.step = step_ + 1,
            .rate = tensor.learning_rate_factor * learning_rate,
            .decay_factor = tensor.weight_decay_factor,
            .clip = clip};
    if (!has_lars() || !tensor.has_gradient() || tensor.shape.size() == 1) continue;
    const double weights = std::sqrt(kernels::sum_of_squares(tensor.slice(parameters()), parts_.threads));
    part.trust = optimizer_.trust(weights, clip * std::sqrt(squares[t]), tensor.weight_decay_factor);
  }
  return parts;
}

void Trainer::move_running_mean(std::size_t t) {
  const nn::Tensor& tensor = parts_.model.tensors()[t];
  const double share = 1.0 / static_cast<double>(parts_.plan.micro_batches(step_in_epoch()));
  std::vector<float> scratch(tensor.size);
  const auto sums = parts_.reducer.read(t, tensor.offset, scratch);
  kernels::move_towards(sums, share, tensor.averaged, tensor.slice(parameters_.span()));
}

StopRequests Trainer::own_stop_requests() const {
  StopRequests requests = requests_of(parts_.supervision.signals);
  const bool over = std::chrono::steady_clock::now() >= deadline_;
  requests.timeouts = parts_.communicator.rank() == 0 && over ? 1 : 0;
  return requests;
}

std::span<const float> Trainer::average() {
  if (!average_.is_kept() || !division().is_divided()) return average_.values();
  if (whole_average_.empty()) {
    whole_average_.resize(parameters_.size());
    for (const auto& chunk : division().own())
      std::ranges::copy(average_.values().subspan(chunk.place, chunk.size),
                        whole_average_.begin() + static_cast<std::ptrdiff_t>(chunk.begin));
    parts_.reducer.gather(whole_average_);
  }
  return whole_average_;
}

TrainingStateView Trainer::state_view() {
  const std::span<const float> parameters = this->parameters();  // first: what follows needs MPI
  optim::OptimizerStateView optimizer;
  for (const auto& [name, own] : optimizer_.state()) {
    if (!division().is_divided()) {
      optimizer[name] = own;
      continue;
    }
    if (!whole_optimizer_.contains(name)) whole_optimizer_[name] = gather_parts(own);
    if (parts_.communicator.rank() == 0) optimizer[name] = whole_optimizer_[name];
  }
  return {step_, parameters, optimizer, average(), parts_.reducer.state(), progress_};
}

std::vector<float> Trainer::gather_parts(std::span<const float> own) const {
  const comm::Communicator& ranks = parts_.communicator;
  if (ranks.rank() != 0) {
    ranks.send(own, 0);
    return {};
  }
  std::vector<float> arena(parameters_.size());
  division().place(0, own, arena);
  for (int rank = 1; rank < ranks.size(); ++rank) {
    std::vector<float> part(division().size_of(rank));
    ranks.receive(part, rank);
    division().place(rank, part, arena);
  }
  return arena;
}

void Trainer::restore(const TrainingState& state) {
  expect_parameters(state);
  optimizer_.restore(own_part(state.optimizer));
  const std::size_t averaged = average_.is_kept() ? parameters_.size() : 0;
  if (state.average.size() != averaged)
    throw ModelError(fmt::format("the state has an average of {} parameters, expected one of {}",
                                 state.average.size(), averaged));
  if (average_.is_kept()) average_.restore(division().own_of(state.average));
  whole_average_ = {};
  whole_optimizer_.clear();
  std::copy(state.parameters.begin(), state.parameters.end(), parameters_.data());
  parts_.reducer.restore(state.reducer);
  step_ = state.step;
  progress_ = state.progress;
  if (step_in_epoch() != 0) parts_.loader.start_epoch(epochs_done());
}

void Trainer::begin_with(const TrainingState& state) {
  expect_parameters(state);
  if (takes_momentum_of(state)) optimizer_.restore(own_part(state.optimizer));
  std::copy(state.parameters.begin(), state.parameters.end(), parameters_.data());
  if (average_.is_kept()) average_.restore(division().own_of(state.parameters));
  whole_average_ = {};
  whole_optimizer_.clear();
}

bool Trainer::takes_momentum_of(const TrainingState& state) const {
  return has_momentum() && state.optimizer.size() == 1 &&
         state.optimizer.contains(optimizer_.state().begin()->first);
}

optim::OptimizerState Trainer::own_part(const optim::OptimizerState& whole) const {
  optim::OptimizerState own;
  for (const auto& [name, values] : whole) {
    if (values.size() != parameters_.size())
      throw ModelError(fmt::format("{} of the state has {} numbers, expected {}", name, values.size(),
                                   parameters_.size()));
    own[name] = division().own_of(values);
  }
  return own;
}

void Trainer::expect_parameters(const TrainingState& state) const {
  if (state.parameters.size() != parameters_.size())
    throw ModelError(fmt::format("the state is of {} parameters, expected {}", state.parameters.size(),
                                 parameters_.size()));
}

std::size_t Trainer::bytes() const {
  return parameters_.size() * sizeof(float) + average_.bytes() + optimizer_.bytes() + parts_.reducer.bytes() +
         workspace_.bytes() + parts_.loader.samples().bytes();
}

}  // namespace lockstep::train
