#include "run/experiment.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "run/first_weights.h"
#include "run/memory.h"
#include "run/same_data.h"
#include "run/saved_network.h"
#include "run/setup.h"

namespace lockstep::run {

data::ShardPlan plan_of(const config::RunConfig& run, const data::DatasetInfo& info) {
  return {info.train_samples, run.data.shards, run.train.batch_size, run.data.shuffle, run.seed};
}

data::Augmentation augmentation_of(const config::RunConfig& run, const data::DatasetInfo& info) {
  return {run.data.augment, info.image, run.seed};
}

data::EvaluatedViews views_of(const config::RunConfig& run, const data::DatasetInfo& info) {
  return {run.eval.views, info.image};
}

nn::Model model_of(const config::RunConfig& run, const data::DatasetInfo& info) {
  std::optional<nn::ImageShape> image;
  if (info.image) image = {info.image->channels, info.image->height, info.image->width};
  return {run.model, info.features(), nn::outputs_of(run.model, info.classes), image};
}

void expect_micro_batches(const data::ShardPlan& plan, const nn::Model& model) {
  if (plan.smallest_micro_batch() < model.least_micro_batch())
    throw ConfigError(fmt::format(
        "batch_norm meets a micro-batch of {} sample, expected at least {}: another train.batch_size, "
        "data.shards or data.train_samples",
        plan.smallest_micro_batch(), model.least_micro_batch()));
}

Experiment::Experiment(const config::RunConfig& run, const comm::Communicator& communicator, int threads,
                       const liveness::Supervision& supervision, const Origin* origin,
                       const std::optional<Alteration>& alteration)
    : run_(run), communicator_(communicator), threads_(threads) {
  const int rank = communicator.rank(), world = communicator.size();
  std::optional<SavedNetwork> saved;
  if (origin == nullptr && !run.init_from.empty()) saved.emplace(run.init_from, communicator);
  if (saved && saved->origin()) origin = &*saved->origin();
  const data::Schema* trained = origin != nullptr ? &origin->trained_on : nullptr;
  std::unique_ptr<data::Dataset> dataset;
  communicator.all_or_none([&] {
    if (trained != nullptr && trained->normalizer.kind() != run.data.normalize)
      throw ConfigError(fmt::format(R"(data.normalize is "{}", expected "{}" as {} was trained with)",
                                    name(run.data.normalize), name(trained->normalizer.kind()),
                                    origin->file));
    dataset = data::open_dataset(run.data, trained != nullptr ? &trained->info : nullptr);
    if (alteration) dataset = alter(std::move(dataset), *alteration);
  });
  expect_same_files(communicator, *dataset);
  data::Augmentation augmentation;
  communicator.all_or_none([&] {
    info_ = dataset->info();
    plan_ = plan_of(run, info_);
    division_.emplace(plan_->shards(), world);
    augmentation = augmentation_of(run, info_);
    views_ = views_of(run, info_);
    model_ = model_of(run, info_);
    expect_micro_batches(*plan_, *model_);
  });
  expect_room(communicator, least_bytes(run, info_, *plan_, *model_, communicator));
  communicator.all_or_none([&] {
    reducer_ = reduce::make_reducer(run.reduce, *model_, data::blocks_per_step(*plan_), communicator, threads,
                                    supervision.progress);
    loader_.emplace(*dataset, *plan_, division_->of_rank(rank), augmentation);
    // A signal does not end training in the middle of an evaluation, after which it is saved.
    test_set_.emplace(*dataset, data::Split::kTest, rank, world,
                      liveness::Supervision{.progress = supervision.progress});
  });
  if (trained != nullptr)
    normalizer_ = trained->normalizer;
  else
    normalizer_.emplace(run.data.normalize, info_, loader_->samples(), all_ranks(communicator));
  fingerprint_ = data::fingerprint(info_, data::hash_samples(loader_->samples(), loader_->sample_ids()),
                                   data::hash_samples(test_set_->samples(), test_set_->sample_ids()),
                                   all_ranks(communicator));
  AlignedBuffer<float> parameters =
      saved ? saved->parameters(*model_, communicator) : drawn_parameters(run.seed, *model_, communicator);
  if (!saved && origin == nullptr)
    set_whitening(*model_, *dataset, *normalizer_, communicator, parameters.span());
  communicator.all_or_none([&] {
    trainer_.emplace(
        train::TrainerParts{communicator, *plan_, *loader_, *normalizer_, *model_, run.model.loss, *reducer_,
                            threads, run.seed, info_.target_stddev, supervision},
        run.train, std::move(parameters));
  });
  if (run.compute.balance) dataset_ = std::move(dataset);
}

void Experiment::divide(const data::ShardDivision& division) {
  require(
      dataset_ != nullptr && division.ranks() == communicator_.size() && division.shards() == plan_->shards(),
      "Experiment::divide: needs compute.balance, and a division of the shards among these ranks");
  std::optional<data::BatchLoader> loader;
  communicator_.all_or_none(
      [&] { loader.emplace(*loader_, *dataset_, division.of_rank(communicator_.rank())); });
  const data::Fingerprint found = data::fingerprint(
      info_, data::hash_samples(loader->samples(), loader->sample_ids()), 0, all_ranks(communicator_));
  communicator_.all_or_none([&] {
    if (found.train != fingerprint_.train)
      throw DataError(
          fmt::format("{}: the training samples have the fingerprint {} now, expected {}, with "
                      "which the run began",
                      info_.name, found.train, fingerprint_.train));
  });
  trainer_->go_on_with(std::move(*loader));
  division_ = division;
}

std::vector<std::string> Experiment::tensors_with_gradients() const {
  std::vector<std::string> names;
  for (const nn::Tensor& tensor : model_->tensors())
    if (tensor.has_gradient()) names.push_back(tensor.name);
  return names;
}

train::Evaluator::Network Experiment::network() {
  const std::span<const float> weights = trainer_->network();
  return {*model_,
          weights,
          *normalizer_,
          run_.model.loss,
          train::l2_loss(*model_, weights, run_.train.optimizer.l2, threads_),
          info_.target_stddev,
          views_};
}

train::Score Experiment::test_score() { return test_set_->score(network(), communicator_, threads_); }

std::vector<std::int64_t> Experiment::test_confusion() {
  return test_set_->confusion(network(), info_.classes, communicator_, threads_);
}

}  // namespace lockstep::run
