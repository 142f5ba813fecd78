// lockstep eval: loss and accuracy of saved weights on the training and the test set.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/setup.h"
#include "kernels/arrays.h"
#include "report/console.h"
#include "train/evaluator.h"

namespace lockstep::cli {

void eval(const comm::Session& session, const EvalArguments& arguments) {
  const comm::Communicator& world = session.world();
  std::string config = arguments.config, weights = arguments.model;
  std::error_code ignored;
  if (world.rank() == 0 && std::filesystem::is_directory(arguments.config, ignored)) {
    if (weights.empty()) weights = config + "/model.safetensors";
    config += "/config.toml";
  }
  world.broadcast(config, 0);
  world.broadcast(weights, 0);
  LoadedConfig loaded = load_config(world, config, arguments.overrides);
  if (!weights.empty()) loaded.run.train.init_from = weights;
  const config::RunConfig& run = loaded.run;
  world.together([&] {
    if (run.train.init_from.empty())
      throw ConfigError(fmt::format("{} names no weights: expected --model FILE or train.init_from", config));
  });
  const int threads = agree_on_compute(run.compute, world).threads;

  std::unique_ptr<data::Dataset> dataset;
  std::optional<train::Evaluator> train_set, test_set;
  std::optional<nn::Model> model;
  world.together([&] {
    dataset = data::open_dataset(run.data);
    model.emplace(run.model, dataset->info().features(), dataset->info().classes);
    train_set.emplace(*dataset, data::Split::kTrain, world.rank(), world.size());
    test_set.emplace(*dataset, data::Split::kTest, world.rank(), world.size());
  });
  const AlignedBuffer<float> parameters = initial_parameters(run, *model, world);
  const data::Normalizer normalizer =
      fit_normalizer(run.data.normalize, dataset->info(), train_set->samples(), world);
  const double l2_loss = train::l2_loss(*model, parameters.span(), run.train.sgd.l2, threads);

  report::Console console(world.rank() == 0);
  for (auto [name, set] : {std::pair("train", &*train_set), std::pair("test", &*test_set)}) {
    const train::Score score =
        set->score(*model, run.model.loss, parameters.span(), normalizer, l2_loss, world, threads);
    if (!std::isfinite(score.loss))
      throw comm::AgreedError(ExitCode::kModel,
                              fmt::format("{}: the loss of these weights is {}, expected a finite number",
                                          run.train.init_from.string(), score.loss));
    console.line(fmt::format("{:<5}  loss {:#.10g}  accuracy {:.9g}  ({} of {})", name, score.loss,
                             score.accuracy(), score.correct, score.samples));
  }
}

}  // namespace lockstep::cli
