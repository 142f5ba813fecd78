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
  data::BatchLoader loader;
  std::unique_ptr<reduce::Reducer> reducer;
  std::optional<train::Trainer> trainer;

  Replica(const config::RunConfig& run, const data::Dataset& dataset, const data::ShardPlan& plan,
          const nn::Model& model, const comm::Communicator& communicator, int threads)
      : loader(dataset, plan, communicator.rank(), communicator.size()),
        reducer(reduce::make_reducer(run.reduce, model, data::blocks_per_step(plan), communicator, threads)) {
  }

  void start(const config::RunConfig& run, const data::ShardPlan& plan, const data::Normalizer& normalizer,
             const nn::Model& model, const comm::Communicator& communicator, int threads) {
    trainer.emplace(
        train::TrainerParts{communicator, plan, loader, normalizer, model, run.model.loss, *reducer, threads},
        run.train, initial_parameters(run, model));
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
  const auto fit = [&](const Replica& replica, const comm::Communicator& communicator) {
    return fit_normalizer(run.data.normalize, dataset->info(), replica.loader.samples(), communicator);
  };
  const data::Normalizer normalizer = fit(*of_all, world);
  std::optional<data::Normalizer> normalizer_of_one;
  if (of_one) normalizer_of_one.emplace(fit(*of_one, session.self()));
  world.together([&] {
    of_all->start(run, *plan, normalizer, *model, world, compute.threads);
    if (of_one) of_one->start(run, *plan, *normalizer_of_one, *model, session.self(), 1);
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
  if (exact) {
    console.line(
        fmt::format("differs at step {}: {}, {}", result.first_step, describe(result.first), layouts));
    return false;
  }
  bool within = world.rank() != 0 || result.last.relative <= arguments.tolerance;
  within = world.allreduce_min(within ? 1 : 0) == 1;
  console.line(fmt::format(
      "drift after {} steps, the first at step {}: {}; {} the tolerance of {:g} (float sums depend on "
      "the ranks), {}",
      result.steps, result.first_step, describe(result.last), within ? "within" : "above",
      arguments.tolerance, layouts));
  return within;
}

}  // namespace lockstep::cli
