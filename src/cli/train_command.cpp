// lockstep train: from a configuration to a run folder.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/setup.h"
#include "data/batch_loader.h"
#include "data/shard_plan.h"
#include "nn/model_file.h"
#include "report/console.h"
#include "report/run_files.h"
#include "report/summary.h"
#include "train/evaluator.h"
#include "train/trainer.h"

namespace lockstep::cli {
namespace {

namespace fs = std::filesystem;

// The files of the run folder; exists on rank 0.
struct RunFolder {
  fs::path path;
  report::MetricsFile metrics;
  std::optional<report::StepsFile> steps;
};

// Runs a write on the folder; what the system says of a failure becomes an error that names the path.
template <typename Write>
void writing(const fs::path& path, Write&& write) {
  try {
    write();
  } catch (const std::system_error& error) {
    throw ConfigError(fmt::format("{}: cannot be written: {}", path.string(), error.code().message()));
  }
}

// Makes the folder and takes away what an earlier run left there, so that all its files are of one run.
RunFolder open_folder(const fs::path& path, const LoadedConfig& loaded) {
  writing(path, [&] {
    fs::create_directories(path);
    for (const char* old : {"summary.json", "model.safetensors", "steps.csv"}) fs::remove(path / old);
    write_file_atomically(path / "config.toml", config::to_toml(loaded.resolved));
  });
  RunFolder folder{path, report::MetricsFile(path / "metrics.csv"), std::nullopt};
  if (loaded.run.log.steps) folder.steps.emplace(path / "steps.csv");
  return folder;
}

void print_model(report::Console& console, const nn::Model& model, const LoadedConfig& loaded,
                 const data::DatasetInfo& info, const data::ShardPlan& plan, std::size_t bytes) {
  console.line(fmt::format("{:<28}{:>10}{:>14}", "layer", "outputs", "parameters"));
  for (const auto& layer : model.layers()) {
    std::size_t parameters = 0;
    for (const auto& [name, shape] : layer->tensors()) {
      std::size_t size = 1;
      for (const std::size_t n : shape) size *= n;
      parameters += size;
    }
    console.line(fmt::format("{:<28}{:>10}{:>14}", layer->description(), layer->outputs(), parameters));
  }
  console.line(fmt::format("{} parameters, loss {}, {:.1f} MiB a rank", model.parameters(),
                           kernels::name(loaded.run.model.loss), static_cast<double>(bytes) / (1 << 20)));
  console.line(
      fmt::format("{} training samples in {} shards, batch {} = {} x {}, {} steps an epoch; {} test samples",
                  info.train_samples, plan.shards(), loaded.run.train.batch_size, plan.shards(),
                  plan.micro_batch(), plan.steps_per_epoch(), info.test_samples));
}

std::string weights_hash(const train::Trainer& trainer) {
  return hash_hex(std::as_bytes(trainer.parameters()));
}

}  // namespace

void train(const comm::Session& session, const TrainArguments& arguments) {
  const comm::Communicator& world = session.world();
  const LoadedConfig loaded = load_config(world, arguments.config, arguments.overrides);
  const config::RunConfig& run = loaded.run;
  const Compute compute = agree_on_compute(run.compute, world);
  const int threads = compute.threads;
  report::Console console(world.rank() == 0 && !arguments.quiet);
  console.line(fmt::format("lockstep {}: {}", kVersion, describe_run(run, world.size(), compute)));
  if (!compute.note.empty()) console.line(compute.note);

  std::unique_ptr<data::Dataset> dataset;
  std::optional<data::ShardPlan> plan;
  std::optional<data::BatchLoader> loader;
  std::optional<train::Evaluator> evaluator;
  std::optional<RunFolder> folder;
  world.together([&] {
    dataset = data::open_dataset(run.data);
    plan.emplace(dataset->info().train_samples, run.data.shards, run.train.batch_size, run.data.shuffle,
                 run.seed);
    loader.emplace(*dataset, *plan, world.rank(), world.size());
    evaluator.emplace(*dataset, data::Split::kTest, world.rank(), world.size());
  });
  const data::DatasetInfo info = dataset->info();
  const data::Normalizer normalizer = fit_normalizer(run.data.normalize, info, loader->samples(), world);
  std::optional<nn::Model> model;
  std::unique_ptr<reduce::Reducer> reducer;
  world.together([&] {
    model.emplace(run.model, info.features(), info.classes);
    reducer = reduce::make_reducer(run.reduce, *model, data::blocks_per_step(*plan), world, threads);
  });
  AlignedBuffer<float> parameters = initial_parameters(run, *model, world);
  std::optional<train::Trainer> own_trainer;
  world.together([&] {
    own_trainer.emplace(
        train::TrainerParts{world, *plan, *loader, normalizer, *model, run.model.loss, *reducer, threads},
        run.train, std::move(parameters));
  });
  train::Trainer& trainer = *own_trainer;
  world.together([&] {  // last, so that what went wrong before leaves an earlier run's files alone
    const fs::path out = arguments.out.empty() ? fs::path("runs") / loaded.name : fs::path(arguments.out);
    if (world.rank() == 0) folder.emplace(open_folder(out, loaded));
  });
  const data::SampleStore& test_samples = evaluator->samples();
  print_model(console, *model, loaded, info, *plan,
              trainer.bytes() + test_samples.features.size() + test_samples.labels.size());

  console.table_header();
  report::EpochRow row;
  double total_seconds = 0.0;
  while (trainer.epochs_done() < run.train.epochs) {
    row.epoch = trainer.epochs_done() + 1;
    row.rescaled_steps = 0;
    std::size_t done = 0;
    const std::size_t later = (run.train.epochs - row.epoch) * info.train_samples;
    console.start_epoch();
    const auto start = std::chrono::steady_clock::now();
    const train::Score score = trainer.epoch([&](const train::StepReport& step) {
      row.learning_rate = step.learning_rate;
      row.rescaled_steps += step.repeats;
      const auto samples = static_cast<std::size_t>(step.sums.samples);
      done += samples;
      console.progress(step.epoch, run.train.epochs, done, info.train_samples,
                       info.train_samples - done + later);
      if (folder && folder->steps)
        folder->steps->write({step.step, step.epoch, samples, step.loss(), weights_hash(trainer)});
    });
    row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    total_seconds += row.seconds;
    row.samples_per_second = static_cast<double>(score.samples) / row.seconds;
    const train::Score test = evaluator->score(*model, run.model.loss, trainer.parameters(), normalizer,
                                               trainer.l2_loss(), world, threads);
    if (!std::isfinite(test.loss)) trainer.report_divergence("the test loss is not finite");
    row.train_loss = score.loss;
    row.train_accuracy = score.accuracy();
    row.test_loss = test.loss;
    row.test_accuracy = test.accuracy();
    world.together([&] {
      if (!folder) return;
      folder->metrics.write(row);
      if (folder->steps) folder->steps->flush();
    });
    console.epoch(row);
  }

  const std::string hash = weights_hash(trainer);
  world.together([&] {
    if (!folder) return;
    writing(folder->path, [&] {
      nn::save_model(folder->path / "model.safetensors", model->tensors(), trainer.parameters());
      report::write_summary(folder->path / "summary.json", {.last = row,
                                                            .steps = trainer.steps_done(),
                                                            .total_seconds = total_seconds,
                                                            .parameters = model->parameters(),
                                                            .weights_hash = hash,
                                                            .ranks = world.size(),
                                                            .threads = threads,
                                                            .config = loaded.resolved,
                                                            .provenance = provenance()});
    });
  });
  if (folder) console.line(fmt::format("weights {}, written to {}", hash, folder->path.string()));
}

}  // namespace lockstep::cli
