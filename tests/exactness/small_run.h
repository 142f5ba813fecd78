// A whole training run of a small network, put together on the ranks of one communicator.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/random.h"
#include "data/batch_loader.h"
#include "data/dataset.h"
#include "nn/initializer.h"
#include "reduce/reducer.h"
#include "train/trainer.h"

namespace lockstep::test {

// Bytes and labels drawn from (seed, sample): nothing to learn, everything to sum.
class NoiseDataset final : public data::Dataset {
 public:
  NoiseDataset(std::size_t features, std::size_t classes, std::size_t samples, std::uint64_t seed)
      : features_(features), classes_(classes), samples_(samples), seed_(seed) {}

  data::DatasetInfo info() const override {
    return {.name = "noise",
            .channels = 1,
            .channel_size = features_,
            .classes = classes_,
            .train_samples = samples_,
            .test_samples = 1};
  }

  data::SampleStore load(data::Split, std::span<const std::uint32_t> samples) const override {
    data::SampleStore store(samples.size(), features_);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const RandomStream stream(seed_, Purpose::kSyntheticSample, 0, samples[i]);
      store.labels[i] = static_cast<std::uint8_t>(stream.below(0, static_cast<std::uint32_t>(classes_)));
      for (std::size_t j = 0; j < features_; ++j)
        store.row(i)[j] = static_cast<std::uint8_t>(stream.below(static_cast<std::uint32_t>(j + 1), 256));
    }
    return store;
  }

 private:
  std::size_t features_, classes_, samples_;
  std::uint64_t seed_;
};

struct SmallRunOptions {
  std::size_t features = 20, classes = 4, samples = 101;
  std::uint64_t seed = 1;
  std::size_t shards = 8, batch = 32;
  data::Shuffle shuffle = data::Shuffle::kShards;
  data::Normalization normalize = data::Normalization::kMean;
  nn::ModelOptions model;
  train::TrainOptions train;
  reduce::ReduceOptions reduce;
};

// The parts are public so that a test can put a wrong one in before start().
struct SmallRun {
  SmallRunOptions options;
  const comm::Communicator& communicator;
  int threads;
  NoiseDataset dataset;
  data::ShardPlan plan;
  data::BatchLoader loader;
  nn::Model model;
  data::Normalizer normalizer;
  std::unique_ptr<reduce::Reducer> reducer;
  std::optional<train::Trainer> trainer;

  SmallRun(const SmallRunOptions& o, const comm::Communicator& c, int thread_count)
      : options(o),
        communicator(c),
        threads(thread_count),
        dataset(o.features, o.classes, o.samples, o.seed),
        plan(o.samples, o.shards, o.batch, o.shuffle, o.seed),
        loader(dataset, plan, c.rank(), c.size()),
        model(o.model, o.features, o.classes),
        normalizer(fit()),
        reducer(reduce::make_reducer(o.reduce, model, data::blocks_per_step(plan), c, thread_count)) {}

  // The trainer, whose weights are drawn with `seed`.
  train::Trainer& start(std::uint64_t seed) {
    AlignedBuffer<float> arena(model.parameters());
    nn::initialize(nn::Initializer::parse(options.model.init), model.tensors(), seed, arena.span());
    trainer.emplace(train::TrainerParts{communicator, plan, loader, normalizer, model, options.model.loss,
                                        *reducer, threads},
                    options.train, std::move(arena));
    return *trainer;
  }
  train::Trainer& start() { return start(options.seed); }

 private:
  data::Normalizer fit() {
    auto sums = data::feature_sums(loader.samples());
    communicator.allreduce_sum(sums);
    return {options.normalize, dataset.info(), sums, options.samples};
  }
};

}  // namespace lockstep::test
