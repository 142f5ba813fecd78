// lockstep verify: is this run, on these ranks and threads, the run of one process on one thread?
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/setup.h"
#include "data/batch_loader.h"
#include "data/shard_plan.h"
#include "report/console.h"
#include "train/trainer.h"
#include "train/verification.h"

namespace lockstep::cli {
namespace {

// A trainer with all that it works on, on the ranks of one communicator.
struct Replica {
  const comm::Communicator& communicator;
  int threads;
  data::BatchLoader loader;
  std::unique_ptr<reduce::Reducer> reducer;
  std::optional<data::Normalizer> normalizer;
  std::optional<train::Trainer> trainer;

  // Not collective: may fail on some ranks.
  Replica(const config::RunConfig& run, const data::Dataset& dataset, const data::ShardPlan& plan,
          const nn::Model& model, const comm::Communicator& c, int thread_count)
      : communicator(c),
        threads(thread_count),
        loader(dataset, plan, c.rank(), c.size()),
        reducer(reduce::make_reducer(run.reduce, model, data::blocks_per_step(plan), c, thread_count)) {}

  // Collective over the communicator.
  void start(const config::RunConfig& run, const data::Dataset& dataset, const data::ShardPlan& plan,
             const nn::Model& model) {
    normalizer.emplace(fit_normalizer(run.data.normalize, dataset.info(), loader.samples(), communicator));
    AlignedBuffer<float> parameters = initial_parameters(run, model, communicator);
    trainer.emplace(train::TrainerParts{communicator, plan, loader, *normalizer, model, run.model.loss,
                                        *reducer, threads},
                    run.train, std::move(parameters));
  }
};

std::string describe(const train::ArenaDifference& difference) {
  if (difference.identical) return "the loss alone differs";
  return fmt::format("first in {}, at most {} ULPs or {:.3g} relative", difference.first_tensor,
                     difference.ulps, difference.relative);
}

}  // namespace

bool verify(const comm::Session& session, const VerifyArguments& arguments) {
  const comm::Communicator& world = session.world();
  const LoadedConfig loaded = load_config(world, arguments.config, arguments.overrides);
  const config::RunConfig& run = loaded.run;
  world.together([&] {
    if (arguments.tolerance && run.reduce.mode == reduce::Mode::kExact)
      throw ConfigError(
          fmt::format("--tolerance is {:g}, expected none with reduce.mode = \"exact\", which has no drift",
                      *arguments.tolerance));
  });
  const Compute compute = agree_on_compute(run.compute, world);
  report::Console console(world.rank() == 0);
  console.line(fmt::format("lockstep {}: {}", kVersion, describe_run(run, world.size(), compute)));
  if (!compute.note.empty()) console.line(compute.note);

  std::unique_ptr<data::Dataset> dataset;
  std::optional<data::ShardPlan> plan;
  std::optional<nn::Model> model;
  std::optional<Replica> of_all, of_one;
  world.together([&] {
    dataset = data::open_dataset(run.data);
    plan.emplace(dataset->info().train_samples, run.data.shards, run.train.batch_size, run.data.shuffle,
                 run.seed);
    model.emplace(run.model, dataset->info().features(), dataset->info().classes);
    of_all.emplace(run, *dataset, *plan, *model, world, compute.threads);
    if (world.rank() == 0) of_one.emplace(run, *dataset, *plan, *model, session.self(), 1);
  });
  of_all->start(run, *dataset, *plan, *model);
  world.together([&] {
    if (of_one) of_one->start(run, *dataset, *plan, *model);
  });

  const bool exact = run.reduce.mode == reduce::Mode::kExact;
  const train::Verification result =
      train::verify(world, model->tensors(), *of_all->trainer, of_one ? &*of_one->trainer : nullptr,
                    arguments.steps, exact);
  const std::string layouts =
      fmt::format("{} rank{} x {} thread{} against 1 x 1", world.size(), world.size() == 1 ? "" : "s",
                  compute.threads, compute.threads == 1 ? "" : "s");
  if (result.identical) {
    console.line(fmt::format("identical after each of {} steps: weights {}, {}", result.steps,
                             hash_hex(std::as_bytes(of_all->trainer->parameters())), layouts));
    return true;
  }
  if (exact || !result.odd_replica.empty()) {
    console.line(fmt::format("differs at step {}: {}, {}", result.steps,
                             result.odd_replica.empty() ? describe(result.first) : result.odd_replica,
                             layouts));
    return false;
  }
  const double tolerance = arguments.tolerance.value_or(0.0);
  bool within = world.rank() != 0 || result.last.relative <= tolerance;
  within = world.allreduce_min(within ? 1 : 0) == 1;
  console.line(fmt::format(
      "drift after {} steps, the first at step {}: {}; {} the tolerance of {:g} (float sums depend on "
      "the ranks), {}",
      result.steps, result.first_step, describe(result.last), within ? "within" : "above", tolerance,
      layouts));
  return within;
}

}  // namespace lockstep::cli
