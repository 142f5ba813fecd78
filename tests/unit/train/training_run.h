// A whole training run on a small data set, as train::Trainer does it and as the reference does it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "data/dataset.h"
#include "made_up_dataset.h"
#include "nn/initializer.h"
#include "reduce/reducer.h"
#include "reference_model.h"
#include "reference_optimizer.h"
#include "train/trainer.h"

namespace lockstep::test {

// What a run depends on. The reference knows MadeUpDataset only, no dropout, and of
// model.layers those that model.hidden could state, with factors.
struct RunSetup {
  std::size_t samples = 53;
  std::size_t classes = MadeUpDataset::kClasses;  // 4, 2 or, for values, 0
  std::optional<data::DataOptions> points;        // the data, instead of MadeUpDataset
  data::Normalization normalize = data::Normalization::kMean;
  std::size_t shards = 8;
  data::Shuffle shuffle = data::Shuffle::kNone;
  std::uint64_t seed = 5;
  nn::ModelOptions model;
  train::TrainOptions train;
  reduce::ReduceOptions reduce = {.update = reduce::Update::kDivided};

  RunSetup() {
    model.hidden = {8};
    train.epochs = 17;
    train.batch_size = 24;
    train.optimizer.learning_rate = 0.1;
  }

  std::size_t steps() const { return train.epochs * plan().steps_per_epoch(); }
  MadeUpDataset made_up() const { return {samples, 20, classes}; }
  std::unique_ptr<data::Dataset> dataset() const {
    if (points) return data::open_dataset(*points);
    return std::make_unique<MadeUpDataset>(made_up());
  }
  data::ShardPlan plan() const {
    return {dataset()->info().train_samples, shards, train.batch_size, shuffle, seed};
  }
  nn::Model network() const {
    const data::DatasetInfo info = dataset()->info();
    return {model, info.features(), nn::outputs_of(model, info.classes)};
  }
  AlignedBuffer<float> initial() const {
    const nn::Model net = network();
    AlignedBuffer<float> arena(net.parameters());
    nn::initialize(net.tensors(), seed, arena.span());
    return arena;
  }
};

// With the statistics of all training samples.
inline data::Normalizer normalizer_of(const RunSetup& setup) {
  const std::unique_ptr<data::Dataset> dataset = setup.dataset();
  std::vector<std::uint32_t> all(dataset->info().train_samples);
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  return {setup.normalize, dataset->info(), dataset->load(data::Split::kTrain, all), {}};
}

// Everything that a trainer works with, ready to step.
struct TrainerOnRanks {
  data::ShardPlan plan;
  data::Normalizer normalizer;
  nn::Model model;
  data::BatchLoader loader;
  std::unique_ptr<reduce::Reducer> reducer;
  train::Trainer trainer;

  TrainerOnRanks(const RunSetup& setup, const comm::Communicator& communicator, int threads = 1)
      : plan(setup.plan()),
        normalizer(normalizer_of(setup)),
        model(setup.network()),
        loader(*setup.dataset(), plan,
               data::ShardDivision(plan.shards(), communicator.size()).of_rank(communicator.rank())),
        reducer(
            reduce::make_reducer(setup.reduce, model, data::blocks_per_step(plan), communicator, threads)),
        trainer(
            {communicator, plan, loader, normalizer, model, setup.model.loss, *reducer, threads, setup.seed},
            setup.train, setup.initial()) {}
};

struct RunResult {
  std::vector<train::StepReport> steps;
  std::vector<train::Score> epochs;
  std::vector<float> parameters;
  std::vector<float> average;  // empty where none is kept
};

// What is left of the run.
inline RunResult run_to_the_end(TrainerOnRanks& ranks, const RunSetup& setup) {
  RunResult result;
  while (ranks.trainer.epochs_done() < setup.train.epochs)
    result.epochs.push_back(
        ranks.trainer.epoch([&](const train::StepReport& report) { result.steps.push_back(report); })
            .value());
  result.parameters.assign(ranks.trainer.parameters().begin(), ranks.trainer.parameters().end());
  const std::span<const float> average = ranks.trainer.average();
  result.average.assign(average.begin(), average.end());
  return result;
}

inline RunResult run_trainer(const RunSetup& setup, const comm::Communicator& communicator, int threads = 1) {
  TrainerOnRanks ranks(setup, communicator, threads);
  return run_to_the_end(ranks, setup);
}

// The training samples as the reference network sees them: bytes in double, less each feature's mean over all
// samples.
inline std::vector<Sample> reference_samples(const RunSetup& setup) {
  std::vector<Sample> samples(setup.samples);
  const MadeUpDataset dataset = setup.made_up();
  for (std::uint32_t i = 0; i < setup.samples; ++i) samples[i].label = dataset.target(data::Split::kTrain, i);
  for (std::size_t j = 0; j < MadeUpDataset::kFeatures; ++j) {
    double sum = 0.0;
    for (std::uint32_t i = 0; i < setup.samples; ++i)
      sum += MadeUpDataset::feature(data::Split::kTrain, i, j);
    const double mean = sum / static_cast<double>(setup.samples);
    for (std::uint32_t i = 0; i < setup.samples; ++i)
      samples[i].x.push_back((MadeUpDataset::feature(data::Split::kTrain, i, j) - mean) / 255.0);
  }
  return samples;
}

// The IDs of the samples of a step: without shuffle the next B of the file, else as the plan says.
inline std::vector<std::uint32_t> samples_of_step(const RunSetup& setup, std::size_t epoch,
                                                  std::size_t step) {
  std::vector<std::uint32_t> ids;
  if (setup.shuffle == data::Shuffle::kNone) {
    const std::size_t end = std::min(setup.samples, (step + 1) * setup.train.batch_size);
    for (std::size_t i = step * setup.train.batch_size; i < end; ++i)
      ids.push_back(static_cast<std::uint32_t>(i));
    return ids;
  }
  const data::ShardPlan plan = setup.plan();
  for (std::size_t s = 0; s < plan.shards(); ++s) {
    const auto order = plan.epoch_order(epoch, s);
    const data::Range range = plan.micro_batch_range(step, s);
    for (std::size_t i = range.begin; i < range.end; ++i) ids.push_back(plan.samples_of_shard(s)[order[i]]);
  }
  return ids;
}

struct ReferenceResult {
  struct Step {
    std::size_t samples, correct;
    double loss;
  };
  std::vector<Step> steps;
  std::vector<double> parameters;
  std::vector<double> average;  // of them after each step, by train.average_decay
};

// The same run in double, one sample at a time.
inline ReferenceResult run_reference(const RunSetup& setup) {
  const nn::Model model = setup.network();
  const AlignedBuffer<float> initial = setup.initial();
  auto network =
      reference_of(model, setup.model.activation, setup.model.loss, initial.span(), setup.train.optimizer.l2);
  network.label_smoothing = setup.train.label_smoothing;
  ReferenceOptimizer optimizer{.options = setup.train.optimizer, .clip_norm = setup.train.clip_norm};
  for (const nn::LayerOptions& layer : nn::layers_of(setup.model)) {
    if (layer.kind != nn::LayerOptions::Kind::kDense) continue;
    const std::size_t l = network.l2_factors.size(), weight = network.weight_offset(l),
                      bias = network.bias_offset(l);
    const double rate_factor = layer.frozen ? 0.0 : layer.learning_rate_factor;
    network.l2_factors.push_back(layer.decay_factor());
    optimizer.parts.push_back({weight, bias, true, rate_factor, layer.decay_factor()});
    optimizer.parts.push_back({bias, network.weight_offset(l + 1), false, rate_factor, 0.0});
  }
  const std::size_t steps_per_epoch = setup.plan().steps_per_epoch();
  const optim::Schedule schedule(setup.train.schedule, setup.train.optimizer.learning_rate,
                                 setup.train.epochs, steps_per_epoch);
  const std::vector<Sample> samples = reference_samples(setup);
  ReferenceResult result;
  for (std::size_t step = 0; step < setup.steps(); ++step) {
    std::vector<Sample> batch;
    for (const std::uint32_t number : samples_of_step(setup, step / steps_per_epoch, step % steps_per_epoch))
      batch.push_back(samples[number]);
    result.steps.push_back({batch.size(), network.count_correct(batch), network.mean_loss(batch)});
    optimizer.update(network.parameters, network.gradient(batch, /*with_l2=*/false),
                     schedule.learning_rate(step));
    const double share = step == 0 ? 1.0 : 1.0 - setup.train.average_decay;
    result.average.resize(network.parameters.size());
    for (std::size_t i = 0; i < result.average.size(); ++i)
      result.average[i] += share * (network.parameters[i] - result.average[i]);
  }
  result.parameters = network.parameters;
  return result;
}

}  // namespace lockstep::test
