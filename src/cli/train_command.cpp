// lockstep train: from a configuration to a run folder.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/setup.h"
#include "kernels/arrays.h"
#include "nn/model_file.h"
#include "report/console.h"
#include "report/run_files.h"
#include "report/summary.h"

namespace lockstep::cli {
namespace {

namespace fs = std::filesystem;

// What an earlier run, and lockstep eval after it, may have left in the folder, beside what every run writes
// anew.
constexpr const char* kFilesOfRun[] = {"summary.json", "model.safetensors", "steps.csv",     "gradients.csv",
                                       "grid.csv",     "points.csv",        "confusion.csv", "weights.ppm"};

// The files of the run folder; exists on rank 0.
struct RunFolder {
  fs::path path;
  report::MetricsFile metrics;
  std::optional<report::StepsFile> steps;
  std::optional<report::GradientsFile> gradients;
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
RunFolder open_folder(const fs::path& path, const LoadedConfig& loaded, const nn::Model& model) {
  writing(path, [&] {
    fs::create_directories(path);
    for (const char* old : kFilesOfRun) fs::remove(path / old);
    write_file_atomically(path / "config.toml", config::to_toml(loaded.resolved));
  });
  RunFolder folder{path, report::MetricsFile(path / "metrics.csv"), std::nullopt, std::nullopt};
  if (loaded.run.log.steps) folder.steps.emplace(path / "steps.csv");
  if (loaded.run.log.gradients) {
    std::vector<std::string> names;
    for (const nn::Tensor& tensor : model.tensors()) names.push_back(tensor.name);
    folder.gradients.emplace(path / "gradients.csv", names);
  }
  return folder;
}

void print_model(report::Console& console, const LoadedConfig& loaded, const Experiment& experiment) {
  const data::DatasetInfo& info = experiment.info();
  const data::ShardPlan& plan = experiment.plan();
  const nn::Model& model = experiment.model();
  if (!info.note.empty()) console.line(info.note);
  console.line(fmt::format("{:<28}{:>10}{:>14}", "layer", "outputs", "parameters"));
  for (const auto& layer : model.layers()) {
    std::size_t parameters = 0;
    for (const auto& tensor : layer->tensors()) {
      std::size_t size = 1;
      for (const std::size_t n : tensor.shape) size *= n;
      parameters += size;
    }
    console.line(fmt::format("{:<28}{:>10}{:>14}", layer->description(), layer->outputs(), parameters));
  }
  console.line(fmt::format("{} parameters, loss {}, {:.1f} MiB a rank", model.parameters(),
                           kernels::name(loaded.run.model.loss),
                           static_cast<double>(experiment.bytes()) / (1 << 20)));
  console.line(
      fmt::format("{} training samples in {} shards, batch {} = {} x {}, {} steps an epoch; {} test samples",
                  info.train_samples, plan.shards(), loaded.run.train.batch_size, plan.shards(),
                  plan.micro_batch(), plan.steps_per_epoch(), info.test_samples));
}

std::string weights_hash(const train::Trainer& trainer) {
  return hash_hex(std::as_bytes(trainer.parameters()));
}

// The mean over an epoch's steps of the Euclidean norm of each tensor's gradient.
class GradientNorms {
 public:
  explicit GradientNorms(const Experiment& experiment)
      : experiment_(experiment), sums_(experiment.model().tensors().size()) {}

  void add_step(int threads) {
    const auto& tensors = experiment_.model().tensors();
    for (std::size_t t = 0; t < tensors.size(); ++t)
      sums_[t] +=
          std::sqrt(kernels::sum_of_squares(tensors[t].slice(experiment_.reducer().gradient()), threads));
    ++steps_;
  }

  // Of the steps since the last call.
  std::vector<double> take() {
    std::vector<double> means(sums_.size());
    for (std::size_t t = 0; t < sums_.size(); ++t)
      means[t] = std::exchange(sums_[t], 0.0) / static_cast<double>(steps_);
    steps_ = 0;
    return means;
  }

 private:
  const Experiment& experiment_;
  std::vector<double> sums_;
  std::size_t steps_ = 0;
};

}  // namespace

void train(const comm::Session& session, const TrainArguments& arguments) {
  const comm::Communicator& world = session.world();
  const LoadedConfig loaded = load_config(world, arguments.config, arguments.overrides);
  const config::RunConfig& run = loaded.run;
  const Compute compute = agree_on_compute(run.compute, world);
  report::Console console(world.rank() == 0 && !arguments.quiet);
  console.line(fmt::format("lockstep {}: {}", kVersion, describe_run(run, world.size(), compute)));
  if (!compute.note.empty()) console.line(compute.note);

  Experiment experiment(run, world, compute.threads);
  train::Trainer& trainer = experiment.trainer();
  const data::DatasetInfo& info = experiment.info();
  std::optional<RunFolder> folder;
  world.together([&] {  // last, so that what went wrong before leaves an earlier run's files alone
    const fs::path out = arguments.out.empty() ? fs::path("runs") / loaded.name : fs::path(arguments.out);
    if (world.rank() == 0) folder.emplace(open_folder(out, loaded, experiment.model()));
  });
  print_model(console, loaded, experiment);

  console.start_table(run.train.epochs);
  report::EpochRow row;
  GradientNorms norms(experiment);
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
      if (folder && folder->gradients) norms.add_step(compute.threads);
      if (folder && folder->steps)
        folder->steps->write({step.step, step.epoch, samples, step.loss(), weights_hash(trainer)});
    });
    row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    total_seconds += row.seconds;
    row.samples_per_second = static_cast<double>(score.samples) / row.seconds;
    const train::Score test = experiment.test_score();
    if (info.test_samples > 0 && !std::isfinite(test.loss))
      trainer.report_divergence(trainer.steps_done(), "the test loss is not finite");
    row.train_loss = score.loss;
    row.train_accuracy = accuracy(score, info);
    row.test_loss = test.loss;
    row.test_accuracy = accuracy(test, info);
    world.together([&] {
      if (!folder) return;
      folder->metrics.write(row);
      if (folder->steps) folder->steps->flush();
      if (folder->gradients) folder->gradients->write(row.epoch, norms.take());
    });
    console.epoch(row);
  }

  const std::string hash = weights_hash(trainer);
  world.together([&] {
    if (!folder) return;
    writing(folder->path, [&] {
      nn::save_model(folder->path / "model.safetensors", experiment.model().tensors(), trainer.parameters());
      report::write_summary(folder->path / "summary.json", {.last = row,
                                                            .steps = trainer.steps_done(),
                                                            .total_seconds = total_seconds,
                                                            .parameters = experiment.model().parameters(),
                                                            .weights_hash = hash,
                                                            .ranks = world.size(),
                                                            .threads = compute.threads,
                                                            .config = loaded.resolved,
                                                            .provenance = provenance()});
    });
  });
  if (folder) console.line(fmt::format("weights {}, written to {}", hash, folder->path.string()));
}

}  // namespace lockstep::cli
