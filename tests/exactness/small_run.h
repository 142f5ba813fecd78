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

// Features and targets drawn from (seed, sample): nothing to learn, everything to sum. Without classes
// targets are values.
class NoiseDataset final : public data::Dataset {
 public:
  NoiseDataset(std::size_t features, bool pixels, std::size_t classes, std::size_t samples,
               std::uint64_t seed)
      : features_(features), pixels_(pixels), classes_(classes), samples_(samples), seed_(seed) {}

  data::DatasetInfo info() const override {
    return {.name = "noise",
            .pixels = pixels_,
            .channels = pixels_ ? 1 : features_,
            .channel_size = pixels_ ? features_ : 1,
            .classes = classes_,
            .class_names = {},
            .train_samples = samples_,
            .test_samples = 1,
            .function = {},
            .note = ""};
  }

  data::SampleStore load(data::Split, std::span<const std::uint32_t> samples) const override {
    auto store = pixels_ ? data::SampleStore::of_pixels(samples.size(), features_)
                         : data::SampleStore::of_values(samples.size(), features_);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const RandomStream stream(seed_, Purpose::kSyntheticSample, 0, samples[i]);
      store.targets[i] = classes_ == 0
                             ? static_cast<float>(stream.normal(0))
                             : static_cast<float>(stream.below(0, static_cast<std::uint32_t>(classes_)));
      for (std::size_t j = 0; j < features_; ++j) {
        const auto index = static_cast<std::uint32_t>(j + 1);
        if (pixels_)
          store.pixel_row(i)[j] = static_cast<std::uint8_t>(stream.below(index, 256));
        else
          store.value_row(i)[j] = static_cast<float>(stream.normal(index));
      }
    }
    return store;
  }

 private:
  std::size_t features_;
  bool pixels_;
  std::size_t classes_, samples_;
  std::uint64_t seed_;
};

struct SmallRunOptions {
  std::size_t features = 20, classes = 4, samples = 101;  // no classes: targets are values
  bool pixels = true;                                     // features are bytes, else floats
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
        dataset(o.features, o.pixels, o.classes, o.samples, o.seed),
        plan(o.samples, o.shards, o.batch, o.shuffle, o.seed),
        loader(dataset, plan, data::ShardDivision(o.shards, c.size()).of_rank(c.rank())),
        model(o.model, o.features, nn::outputs_of(o.model, o.classes)),
        normalizer(fit()),
        reducer(reduce::make_reducer(o.reduce, model, data::blocks_per_step(plan), c, thread_count)) {}

  // The trainer, whose weights are drawn with `seed`.
  train::Trainer& start(std::uint64_t seed) {
    AlignedBuffer<float> arena(model.parameters());
    nn::initialize(model.tensors(), seed, arena.span());
    trainer.emplace(train::TrainerParts{communicator, plan, loader, normalizer, model, options.model.loss,
                                        *reducer, threads, options.seed},
                    options.train, std::move(arena));
    return *trainer;
  }
  train::Trainer& start() { return start(options.seed); }

  // Goes on with these shards on each rank.
  void divide(const data::ShardDivision& division) {
    trainer->go_on_with({loader, dataset, division.of_rank(communicator.rank())});
  }

 private:
  data::Normalizer fit() {
    return {options.normalize,
            dataset.info(),
            loader.samples(),
            {.sum = [this](std::span<std::int64_t> x) { communicator.allreduce_sum(x); },
             .max = [this](std::span<std::int64_t> x) { communicator.allreduce_max(x); }}};
  }
};

}  // namespace lockstep::test
