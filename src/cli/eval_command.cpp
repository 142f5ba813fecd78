// lockstep eval: loss and accuracy of saved weights on the training and the test set.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/setup.h"
#include "cli/tables.h"
#include "data/csv.h"
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

// This rank's part of a file of samples without targets.
data::UnlabelledSamples read_unlabelled(const std::string& file, const data::Dataset& dataset,
                                        const data::DataOptions& options, const comm::Communicator& world) {
  const auto columns = dataset.info().csv;
  if (!columns)
    throw ConfigError(
        fmt::format("--predictions-of {}: the network is of the data set {}, expected one of "
                    "CSV files (data.dataset = \"csv\")",
                    file, dataset.info().name));
  return data::read_unlabelled(file, *columns, options, world.rank(), world.size());
}

// Where the samples of a rank's part of a split are in their file.
std::vector<std::uint32_t> rows_of(const data::Dataset& dataset, data::Split split,
                                   const train::Evaluator& part) {
  std::vector<std::uint32_t> samples(part.samples().size());
  std::iota(samples.begin(), samples.end(), static_cast<std::uint32_t>(part.first_sample()));
  return dataset.file_rows(split, samples);
}

}  // namespace

void eval(const comm::Session& session, const EvalArguments& arguments) {
  const comm::Communicator& world = session.world();
  const bool asked = arguments.grid || arguments.confusion || arguments.predictions || arguments.weights ||
                     !arguments.predictions_of.empty();
  if (!asked && !arguments.out.empty())
    throw comm::AgreedError(ExitCode::kConfig,
                            fmt::format("--out {}: there is nothing to write, expected --grid, --confusion, "
                                        "--predictions, --predictions-of or --weights with it",
                                        arguments.out));
  if (arguments.predictions && !arguments.predictions_of.empty())
    throw comm::AgreedError(ExitCode::kConfig,
                            "--predictions and --predictions-of are both set, expected one of them: both "
                            "write predictions.csv");
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
  std::optional<train::Evaluator> train_set, test_set, unlabelled;
  Predicted predicted;  // the rows of predictions.csv
  std::optional<nn::Model> model;
  world.together([&] {
    dataset = data::open_dataset(run.data);
    model.emplace(run.model, dataset->info().features(), nn::outputs_of(run.model, dataset->info().classes));
    if (arguments.confusion && dataset->info().classes == 0)
      throw ConfigError("--confusion: the targets are values, expected a data set of classes");
    train_set.emplace(*dataset, data::Split::kTrain, world.rank(), world.size());
    test_set.emplace(*dataset, data::Split::kTest, world.rank(), world.size());
    if (!arguments.predictions_of.empty()) {
      auto [samples, rows] = read_unlabelled(arguments.predictions_of, *dataset, run.data, world);
      unlabelled.emplace(std::move(samples));
      predicted = {std::move(rows), false};
    }
  });
  const data::DatasetInfo info = dataset->info();
  const AlignedBuffer<float> parameters = initial_parameters(run, *model, world);
  const data::Normalizer normalizer(run.data.normalize, info, train_set->samples(), all_ranks(world));
  const train::Evaluator::Network network{
      *model,
      parameters.span(),
      normalizer,
      run.model.loss,
      train::l2_loss(*model, parameters.span(), run.train.sgd.l2, threads),
      info.target_deviation};

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

  const bool tested = info.test_samples > 0;
  train::Evaluator& set = tested ? *test_set : *train_set;
  if (arguments.confusion) {
    const std::vector<std::int64_t> counts = set.confusion(network, info.classes, world, threads);
    for (std::size_t c = 0; c < info.classes; ++c) console.line(class_line(info, counts, c));
    files.emplace_back("confusion.csv", confusion_table(info, counts));
  }
  if (arguments.predictions || unlabelled) {
    if (!unlabelled)
      predicted.file_rows = rows_of(*dataset, tested ? data::Split::kTest : data::Split::kTrain, set);
    std::string own;
    world.together(
        [&] { own = prediction_rows(info, predicted, unlabelled ? *unlabelled : set, network, threads); });
    const std::string header = prediction_header(info, *model, predicted.labelled);
    std::string& all = files.emplace_back("predictions.csv", header).second;
    for (const std::string& rows : world.gather(own, 0)) all += rows;
  }
  world.together([&] {
    if (world.rank() != 0) return;
    for (const auto& [name, content] : files)
      writing(out / name, [&] { write_file_atomically(out / name, content); });
  });
  if (asked) console.line(fmt::format("tables written to {}", out.string()));
}

}  // namespace lockstep::cli
