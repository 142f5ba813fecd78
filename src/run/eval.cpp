#include "run/eval.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "data/csv.h"
#include "data/schema.h"
#include "run/mistakes.h"
#include "run/run_place.h"
#include "run/same_data.h"
#include "run/saved_network.h"
#include "run/setup.h"
#include "run/tables.h"
#include "train/evaluator.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;

using Files = std::vector<std::pair<const char*, std::string>>;  // name and content

// The tables that were asked for and that rank 0 makes by itself. Throws ConfigError where one does not
// apply.
Files tables(const EvalArguments& arguments, const data::Dataset& dataset,
             const train::Evaluator::Network& network, int threads) {
  const data::DatasetInfo info = dataset.info();
  if (arguments.grid && info.train_samples + info.test_samples == 0)
    throw ConfigError(fmt::format(
        "--grid: reaches as far as the samples do, and {} has none here, expected the data of the run",
        info.name));
  Files files;
  if (arguments.grid) {
    files.emplace_back("grid.csv", grid_table(dataset, network, threads));
    files.emplace_back("points.csv", points_table(dataset));
  }
  if (arguments.weights) files.emplace_back("weights.ppm", weight_images(info, network.model, network.arena));
  if (arguments.network) files.emplace_back("network.csv", network_table(info, network.model));
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

// What a network was trained on where no sample of it is at hand.
class NoSamples final : public data::Dataset {
 public:
  explicit NoSamples(data::DatasetInfo info) : info_(std::move(info)) {
    info_.train_samples = info_.test_samples = 0;
  }
  data::DatasetInfo info() const override { return info_; }
  data::SampleStore load(data::Split, std::span<const std::uint32_t>) const override {
    return data::SampleStore::of_values(0, info_.features());
  }

 private:
  data::DatasetInfo info_;
};

// The data set of the options, for a network that may say what it was trained on; without any file there are
// no samples but those whose targets are unknown.
std::unique_ptr<data::Dataset> open_for(const data::Schema* trained, const data::DataOptions& options,
                                        const EvalArguments& arguments) {
  const bool no_file = options.dataset == "csv" && options.file.empty() && options.test_file.empty();
  if (trained != nullptr && no_file && !arguments.predictions_of.empty())
    return std::make_unique<NoSamples>(trained->info);
  return data::open_dataset(options, trained != nullptr ? &trained->info : nullptr);
}

// Leaves out files that are gone where others are to be evaluated, and says so: the training data where there
// is a test file, both where targets are to be predicted. What the configuration says of dividing the
// training data goes with them. Collective.
void leave_out_missing(const EvalArguments& arguments, data::DataOptions& options,
                       const comm::Communicator& world, report::Console& console) {
  if (options.dataset != "csv") return;
  const bool predicted = !arguments.predictions_of.empty();
  const auto gone = [&](const fs::path& file) {
    std::error_code ignored;
    std::int64_t missing = world.rank() == 0 && !file.empty() && !fs::exists(file, ignored) ? 1 : 0;
    world.broadcast(std::as_writable_bytes(std::span(&missing, 1)), 0);
    return missing != 0;
  };
  std::vector<std::string> missing, left;
  const auto leave_out = [&](fs::path& file, bool others) {
    if (others && gone(file)) missing.push_back(std::exchange(file, {}).string());
    if (!file.empty()) left.push_back(file.string());
  };
  leave_out(options.file, predicted || !options.test_file.empty());
  leave_out(options.test_file, predicted);
  if (missing.empty()) return;
  if (predicted) left.push_back(arguments.predictions_of);
  if (options.file.empty()) {
    const data::DataOptions whole;
    options.test_fraction = whole.test_fraction;
    options.train_samples = whole.train_samples;
    options.folds = whole.folds;
    options.fold = whole.fold;
    options.stratify = whole.stratify;
  }
  console.line(fmt::format("{} {} not there: only {} {} evaluated", fmt::join(missing, " and "),
                           missing.size() == 1 ? "is" : "are", fmt::join(left, " and "),
                           left.size() == 1 ? "is" : "are"));
}

// Makes the data ready for a network that says what it was trained on, and says what is not as usual:
// features are normalised as the network's were, whatever the configuration says. Collective.
void prepare_for(const data::Schema* trained, const std::string& network, const EvalArguments& arguments,
                 data::DataOptions& options, const comm::Communicator& world, report::Console& console) {
  if (trained == nullptr) {
    console.line(
        fmt::format("{} does not say what it was trained on: data.normalize = \"{}\" and classes come "
                    "from the training data",
                    network, name(options.normalize)));
    return;
  }
  options.normalize = trained->normalizer.kind();
  leave_out_missing(arguments, options, world, console);
}

// Says so where the training samples are not those that the network was trained on. Collective.
void compare_data(const data::Schema* trained, const data::DatasetInfo& info,
                  const train::Evaluator& train_set, const train::Evaluator& test_set,
                  const comm::Communicator& world, report::Console& console) {
  if (trained == nullptr) return;
  const data::Fingerprint found =
      data::fingerprint(info, data::hash_samples(train_set.samples(), train_set.sample_ids()),
                        data::hash_samples(test_set.samples(), test_set.sample_ids()), all_ranks(world));
  if (found.train.empty() || found.train == trained->fingerprint.train) return;
  console.line(
      fmt::format("{}: not the data that the network was trained on, {} (fingerprint {}, expected {})",
                  info.name, trained->info.name, found.train, trained->fingerprint.train));
}

}  // namespace

void eval(Job& job, const EvalArguments& arguments) {
  const comm::Communicator& world = job.world;
  const bool asked = arguments.writes_tables();
  if (!asked && !arguments.out.empty())
    throw comm::CollectiveError(
        ExitCode::kConfig,
        fmt::format("--out {}: there is nothing to write, expected --grid, --confusion, "
                    "--predictions, --predictions-of, --weights, --mistakes or --network with it",
                    arguments.out));
  if (arguments.predictions && !arguments.predictions_of.empty())
    throw comm::CollectiveError(ExitCode::kConfig,
                                "--predictions and --predictions-of are both set, expected one of them: both "
                                "write predictions.csv");
  NamedNetwork named = load_named(arguments.config, arguments.overrides, arguments.model, world);
  config::RunConfig& run = named.config.run;
  fs::path out = arguments.out;
  if (out.empty()) out = named.run.empty() ? fs::path("runs") / named.config.name : named.run;
  const int threads = agree_on_compute(run.compute, world).threads;
  report::Console& console = job.console;
  job.watch(run.watchdog_seconds);

  const SavedNetwork saved = named.open(world, console);
  const data::Schema* trained = saved.origin() ? &saved.origin()->trained_on : nullptr;
  prepare_for(trained, saved.name(), arguments, run.data, world, console);
  std::unique_ptr<data::Dataset> dataset;
  std::optional<train::Evaluator> train_set, test_set, unlabelled;
  Predicted predicted;  // the rows of predictions.csv
  std::optional<nn::Model> model;
  data::EvaluatedViews views;
  world.all_or_none([&] { dataset = open_for(trained, run.data, arguments); });
  expect_same_files(world, *dataset);
  world.all_or_none([&] {
    model = model_of(run, dataset->info());
    views = views_of(run, dataset->info());
    if (arguments.confusion && dataset->info().classes == 0)
      throw ConfigError("--confusion: the targets are values, expected a data set of classes");
    if (arguments.confusion && dataset->info().train_samples + dataset->info().test_samples == 0)
      throw ConfigError(
          fmt::format("--confusion: counts samples whose class is known, and {} has none here, "
                      "expected the data of the run",
                      dataset->info().name));
    if (arguments.mistakes) expect_images_of_classes(dataset->info());
    train_set.emplace(*dataset, data::Split::kTrain, world.rank(), world.size(), job.supervision());
    test_set.emplace(*dataset, data::Split::kTest, world.rank(), world.size(), job.supervision());
    if (!arguments.predictions_of.empty()) {
      auto [samples, rows] = read_unlabelled(arguments.predictions_of, *dataset, run.data, world);
      unlabelled.emplace(std::move(samples), job.supervision());
      predicted = {std::move(rows), false};
    }
  });
  const data::DatasetInfo info = dataset->info();
  const AlignedBuffer<float> parameters = saved.parameters(*model, world);
  const data::Normalizer normalizer =
      trained != nullptr ? trained->normalizer
                         : data::Normalizer(run.data.normalize, info, train_set->samples(), all_ranks(world));
  const train::Evaluator::Network network{
      *model,
      parameters.span(),
      normalizer,
      run.model.loss,
      train::l2_loss(*model, parameters.span(), run.train.optimizer.l2, threads),
      info.target_stddev,
      views};

  compare_data(trained, info, *train_set, *test_set, world, console);

  Files files;  // on rank 0
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    files = tables(arguments, *dataset, network, threads);
    if (asked) writing(out, [&] { fs::create_directories(out); });  // before the work of scoring
  });
  for (auto [name, set] : {std::pair("train", &*train_set), std::pair("test", &*test_set)}) {
    const train::Score score = set->score(network, world, threads);
    if (score.samples == 0) continue;
    if (!std::isfinite(score.loss))
      throw comm::CollectiveError(
          ExitCode::kModel,
          fmt::format("{}: the {} loss of these weights is {}, expected a finite number, and "
                      "that of each sample below {:.2g}",
                      saved.name(), name, score.loss, FixedSum::kLimit));
    const std::string how_good =
        info.classes == 0
            ? fmt::format("largest error {:.9g}  ({} samples)", score.largest_error, score.samples)
            : fmt::format("accuracy {:.9g}  ({} of {})", score.accuracy(), score.correct, score.samples);
    const std::string top5 = train::counts_top5(info.classes)
                                 ? fmt::format("  top-5 accuracy {:.9g}  ({} of {})", score.top5_accuracy(),
                                               score.in_first_5, score.samples)
                                 : "";
    console.line(fmt::format("{:<5}  loss {:#.10g}  {}{}", name, score.loss, how_good, top5));
  }

  const bool tested = info.test_samples > 0;
  const data::Split split = tested ? data::Split::kTest : data::Split::kTrain;
  train::Evaluator& set = tested ? *test_set : *train_set;
  if (arguments.confusion) {
    const std::vector<std::int64_t> counts = set.confusion(network, info.classes, world, threads);
    for (std::size_t c = 0; c < info.classes; ++c) console.line(class_line(info, counts, c));
    files.emplace_back("confusion.csv", confusion_table(info, counts));
  }
  if (arguments.mistakes) {
    const std::vector<Mistake> mistakes = surest_mistakes(info, set, network, world, threads);
    world.all_or_none([&] {
      if (world.rank() != 0) return;
      files.emplace_back("mistakes.csv", mistakes_table(*dataset, split, mistakes));
      files.emplace_back("mistakes.ppm", mistake_images(*dataset, split, mistakes));
    });
  }
  if (arguments.predictions || unlabelled) {
    if (!unlabelled) predicted.file_rows = rows_of(*dataset, split, set);
    std::string own;
    world.all_or_none(
        [&] { own = prediction_rows(info, predicted, unlabelled ? *unlabelled : set, network, threads); });
    const std::string header = prediction_header(info, *model, predicted.labelled);
    std::string& all = files.emplace_back("predictions.csv", header).second;
    for (const std::string& rows : world.gather(own, 0)) all += rows;
  }
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    const liveness::Writing writing_files(&job.progress);
    for (const auto& [name, content] : files) expect_replaceable(out / name, content);
    for (const auto& [name, content] : files)
      writing(out / name, [&] { write_file_atomically(out / name, content); });
  });
  if (asked) console.line(fmt::format("tables written to {}", out.string()));
}

}  // namespace lockstep::run
