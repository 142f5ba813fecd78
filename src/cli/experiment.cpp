#include "cli/experiment.h"

#include "cli/memory.h"
#include "cli/setup.h"

namespace lockstep::cli {

Experiment::Experiment(const config::RunConfig& run, const comm::Communicator& communicator, int threads)
    : run_(run), communicator_(communicator), threads_(threads) {
  const int rank = communicator.rank(), world = communicator.size();
  std::unique_ptr<data::Dataset> dataset;
  communicator.together([&] {
    dataset = data::open_dataset(run.data);
    info_ = dataset->info();
    plan_.emplace(info_.train_samples, run.data.shards, run.train.batch_size, run.data.shuffle, run.seed);
    model_.emplace(run.model, info_.features(), nn::outputs_of(run.model, info_.classes));
  });
  expect_room(communicator, least_bytes(run, info_, *plan_, *model_, communicator));
  communicator.together([&] {
    reducer_ =
        reduce::make_reducer(run.reduce, *model_, data::blocks_per_step(*plan_), communicator, threads);
    loader_.emplace(*dataset, *plan_, rank, world);
    test_set_.emplace(*dataset, data::Split::kTest, rank, world);
  });
  normalizer_.emplace(run.data.normalize, info_, loader_->samples(), all_ranks(communicator));
  AlignedBuffer<float> parameters = initial_parameters(run, *model_, communicator);
  communicator.together([&] {
    trainer_.emplace(train::TrainerParts{communicator, *plan_, *loader_, *normalizer_, *model_,
                                         run.model.loss, *reducer_, threads, run.seed},
                     run.train, std::move(parameters));
  });
}

train::Score Experiment::test_score() {
  const train::Evaluator::Network network{*model_, trainer_->parameters(), *normalizer_, run_.model.loss,
                                          trainer_->l2_loss()};
  return test_set_->score(network, communicator_, threads_);
}

}  // namespace lockstep::cli
