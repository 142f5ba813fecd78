// All that a training run works with, set up from a configuration on the ranks of one communicator.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "config/run_config.h"
#include "data/batch_loader.h"
#include "data/dataset.h"
#include "data/normalizer.h"
#include "data/schema.h"
#include "data/shard_plan.h"
#include "liveness/supervision.h"
#include "nn/model.h"
#include "reduce/reducer.h"
#include "run/altered_data.h"
#include "train/evaluator.h"
#include "train/trainer.h"

namespace lockstep::run {

// What a network was trained on before, and the file that says so.
struct Origin {
  std::string file;
  data::Schema trained_on;
};

// How a run divides its training samples among shards and steps. Throws ConfigError where they don't suffice.
data::ShardPlan plan_of(const config::RunConfig& run, const data::DatasetInfo& info);

// What becomes of such data when they are trained on. Throws ConfigError.
data::Augmentation augmentation_of(const config::RunConfig& run, const data::DatasetInfo& info);

// What of a sample of such data is evaluated. Throws ConfigError.
data::EvaluatedViews views_of(const config::RunConfig& run, const data::DatasetInfo& info);

// The network of a run on such data. Throws ConfigError.
nn::Model model_of(const config::RunConfig& run, const data::DatasetInfo& info);
// Throws ConfigError where a step has a micro-batch that is too small to train the network with.
void expect_micro_batches(const data::ShardPlan& plan, const nn::Model& model);

class Experiment {
 public:
  // threads: of each rank. supervision: of the training; what it refers to must outlive this. origin: of a
  // checkpoint whose weights will take the place of the first ones; then train.init_from is not read.
  // Columns, classes and normalisation are the origin's, or those of train.init_from; else they come from the
  // training data, of which `alteration` says what is used. Throws CollectiveError, also where the data are
  // not such, or ranks read different files. Collective; run and communicator must outlive it.
  Experiment(const config::RunConfig& run, const comm::Communicator& communicator, int threads,
             const liveness::Supervision& supervision = {}, const Origin* origin = nullptr,
             const std::optional<Alteration>& alteration = std::nullopt);
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  const data::DatasetInfo& info() const { return info_; }
  const data::ShardPlan& plan() const { return *plan_; }
  const nn::Model& model() const { return *model_; }
  // The names of those that are learned, in the arena's order.
  std::vector<std::string> tensors_with_gradients() const;
  reduce::Reducer& reducer() { return *reducer_; }
  train::Trainer& trainer() { return *trainer_; }
  const data::BatchLoader& loader() const { return *loader_; }
  const data::Normalizer& normalizer() const { return *normalizer_; }
  // Of this rank's test samples.
  std::span<const float> test_targets() const { return test_set_->samples().targets; }
  // Which rank trains with which shards: an even division, until divide() is called.
  const data::ShardDivision& division() const { return *division_; }
  // Divides them anew, from the next step on; shards that change hands are loaded again. Needs
  // compute.balance, without which the data set is not kept. Throws CollectiveError, and leaves all as it
  // was, where samples cannot be loaded or are not those of before. Collective.
  void divide(const data::ShardDivision& division);

  // What this network is trained on.
  data::Schema schema() const { return {info_, *normalizer_, fingerprint_}; }

  // Of the network as it is, see Trainer::network. Collective.
  train::Score test_score();
  // How many test samples of class a (rows) it takes for class b (columns), see Evaluator::confusion.
  // Collective.
  std::vector<std::int64_t> test_confusion();

  // Bytes that this rank holds.
  std::size_t bytes() const { return trainer_->bytes() + test_set_->samples().bytes(); }

 private:
  train::Evaluator::Network network();

  const config::RunConfig& run_;
  const comm::Communicator& communicator_;
  int threads_;
  data::DatasetInfo info_;
  data::Fingerprint fingerprint_;
  std::unique_ptr<data::Dataset> dataset_;  // with compute.balance
  std::optional<data::ShardPlan> plan_;
  std::optional<data::ShardDivision> division_;
  std::optional<data::BatchLoader> loader_;
  std::optional<data::Normalizer> normalizer_;
  std::optional<nn::Model> model_;
  std::unique_ptr<reduce::Reducer> reducer_;
  std::optional<train::Trainer> trainer_;
  std::optional<train::Evaluator> test_set_;
  data::EvaluatedViews views_;
};

}  // namespace lockstep::run
