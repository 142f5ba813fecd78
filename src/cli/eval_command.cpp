// lockstep eval: loss and accuracy of saved weights on the training and the test set.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/run_place.h"
#include "cli/setup.h"
#include "cli/tables.h"
#include "report/console.h"
#include "train/evaluator.h"

namespace lockstep::cli {

namespace {

namespace fs = std::filesystem;

using Files = std::vector<std::pair<const char*, std::string>>;  // name and content

// The tables that were asked for and that rank 0 makes by itself. Throws ConfigError where one does not
// apply.
Files tables(const EvalArguments& arguments, const data::Dataset& dataset,
             const train::Evaluator::Network& network, int threads) {
  Files files;
  if (arguments.grid) {
    files.emplace_back("grid.csv", grid_table(dataset, network, threads));
    files.emplace_back("points.csv", points_table(dataset));
  }
  if (arguments.weights)
    files.emplace_back("weights.ppm", weight_images(dataset.info(), network.model, network.arena));
  return files;
}

}  // namespace

void eval(const comm::Session& session, const EvalArguments& arguments) {
  const comm::Communicator& world = session.world();
  const bool asked = arguments.grid || arguments.confusion || arguments.predictions || arguments.weights;
  if (!asked && !arguments.out.empty())
    throw comm::AgreedError(ExitCode::kConfig,
                            fmt::format("--out {}: there is nothing to write, expected --grid, --confusion, "
                                        "--predictions or --weights with it",
                                        arguments.out));
  std::string config = arguments.config, weights = arguments.model;
  fs::path out = arguments.out;
  std::error_code ignored;
  if (world.rank() == 0 && fs::is_directory(arguments.config, ignored)) {
    if (weights.empty()) weights = config + "/model.safetensors";
    if (out.empty()) out = config;
    config += "/config.toml";
  }
  world.broadcast(config, 0);
  world.broadcast(weights, 0);
  LoadedConfig loaded = load_config(world, config, arguments.overrides);
  if (!weights.empty()) loaded.run.train.init_from = weights;
  if (out.empty()) out = fs::path("runs") / loaded.name;
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
    model.emplace(run.model, dataset->info().features(), nn::outputs_of(run.model, dataset->info().classes));
    if (arguments.confusion && dataset->info().classes == 0)
      throw ConfigError("--confusion: the targets are values, expected a data set of classes");
    train_set.emplace(*dataset, data::Split::kTrain, world.rank(), world.size());
    test_set.emplace(*dataset, data::Split::kTest, world.rank(), world.size());
  });
  const data::DatasetInfo info = dataset->info();
  const AlignedBuffer<float> parameters = initial_parameters(run, *model, world);
  const data::Normalizer normalizer(run.data.normalize, info, train_set->samples(), all_ranks(world));
  const train::Evaluator::Network network{
      *model, parameters.span(), normalizer, run.model.loss,
      train::l2_loss(*model, parameters.span(), run.train.sgd.l2, threads)};

  Files files;  // on rank 0
  world.together([&] {
    if (world.rank() != 0) return;
    files = tables(arguments, *dataset, network, threads);
    if (asked) writing(out, [&] { fs::create_directories(out); });  // before the work of scoring
  });
  report::Console console(world.rank() == 0);
  for (auto [name, set] : {std::pair("train", &*train_set), std::pair("test", &*test_set)}) {
    const train::Score score = set->score(network, world, threads);
    if (score.samples == 0) continue;
    if (!std::isfinite(score.loss))
      throw comm::AgreedError(
          ExitCode::kModel,
          fmt::format("{}: the {} loss of these weights is {}, expected a finite number, and "
                      "that of each sample below {:.2g}",
                      run.train.init_from.string(), name, score.loss, FixedSum::kLimit));
    const std::string how_good =
        info.classes == 0
            ? fmt::format("largest error {:.9g}  ({} samples)", score.largest_error, score.samples)
            : fmt::format("accuracy {:.9g}  ({} of {})", score.accuracy(), score.correct, score.samples);
    console.line(fmt::format("{:<5}  loss {:#.10g}  {}", name, score.loss, how_good));
  }

  train::Evaluator& set = info.test_samples > 0 ? *test_set : *train_set;
  if (arguments.confusion) {
    const std::vector<std::int64_t> counts = set.confusion(network, info.classes, world, threads);
    for (std::size_t c = 0; c < info.classes; ++c) console.line(class_line(info, counts, c));
    files.emplace_back("confusion.csv", confusion_table(info, counts));
  }
  if (arguments.predictions) {
    std::string own;
    world.together([&] { own = prediction_rows(info, set, network, threads); });
    std::string& all = files.emplace_back("predictions.csv", prediction_header(info, *model)).second;
    for (const std::string& rows : world.gather(own, 0)) all += rows;
  }
  world.together([&] {
    if (world.rank() != 0) return;
    for (const auto& [name, content] : files) expect_replaceable(out / name, content);
    for (const auto& [name, content] : files)
      writing(out / name, [&] { write_file_atomically(out / name, content); });
  });
  if (asked) console.line(fmt::format("tables written to {}", out.string()));
}

}  // namespace lockstep::cli
