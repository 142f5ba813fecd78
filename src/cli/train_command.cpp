// lockstep train: from a configuration to a run folder.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/timeline.h"
#include "base/version.h"
#include "base/watchdog.h"
#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/monitor.h"
#include "cli/provenance.h"
#include "cli/resume.h"
#include "cli/run_folder.h"
#include "cli/setup.h"
#include "cli/trace_file.h"
#include "kernels/arrays.h"
#include "nn/model_file.h"
#include "report/console.h"
#include "report/summary.h"

namespace lockstep::cli {
namespace {

namespace fs = std::filesystem;

void print_model(report::Console& console, const LoadedConfig& loaded, const Experiment& experiment) {
  const data::DatasetInfo& info = experiment.info();
  if (!info.note.empty()) console.line(info.note);
  for (const std::string& line : layer_table(experiment.model())) console.line(line);
  console.line(fmt::format("{} parameters, loss {}, {:.1f} MiB a rank", experiment.model().parameters(),
                           kernels::name(loaded.run.model.loss),
                           static_cast<double>(experiment.bytes()) / (1 << 20)));
  console.line(describe_steps(info, experiment.plan(), loaded.run.train.batch_size));
}

// A training run under way: the trainer, the record of the run, and on rank 0 the folder.
class Training {
 public:
  Training(const comm::Communicator& world, const LoadedConfig& loaded, const Compute& compute,
           std::vector<std::string> placement, Experiment& experiment, report::Console& console)
      : world_(world),
        loaded_(loaded),
        run_(loaded.run),
        compute_(compute),
        placement_(std::move(placement)),
        experiment_(experiment),
        trainer_(experiment.trainer()),
        trained_on_(experiment.schema().to_json()),
        info_(experiment.info()),
        console_(console) {}

  // Sets out: goes on from a checkpoint, or begins with one, if there is one. place: on rank 0. Collective.
  void start(std::optional<RunPlace> place, const Resumed* resumed, const Resumed* beginning) {
    if (beginning != nullptr) {
      world_.together([&] { trainer_.begin_with(beginning->checkpoint.training); });
      record_.began_from = fmt::format("{} (step {}, weights {})", beginning->name,
                                       beginning->checkpoint.training.step, weights_hash());
    }
    if (resumed != nullptr) {
      world_.together([&] {
        try {
          trainer_.restore(resumed->checkpoint.training);
        } catch (const std::exception& error) {
          throw ModelError(fmt::format("{}: {}", resumed->name, error.what()));
        }
      });
      record_ = resumed->run.record;
      if (watches_for_the_best() && world_.rank() == 0)
        best_weights_ = read_best_weights(*resumed, experiment_, console_);
    }
    if (run_.log.gradients) record_.gradient_norms.resize(experiment_.model().tensors().size());
    world_.together([&] {  // last, so that what went wrong before leaves an earlier run's files alone
      if (world_.rank() == 0)
        folder_.emplace(std::move(*place), loaded_, experiment_, resumed != nullptr ? &resumed->run : nullptr,
                        trainer_.steps_done());
    });
  }

  // Trains to the end, or until asked to stop. Collective.
  train::StopRequests run() {
    train::StopRequests stop;
    if (trainer_.epochs_done() >= run_.train.epochs) {
      console_.line(
          fmt::format("nothing left to do: all {} epochs of train.epochs are done", run_.train.epochs));
      return stop;
    }
    console_.start_table(run_.train.epochs);
    while (trainer_.epochs_done() < run_.train.epochs && !stop.any() && !out_of_patience()) {
      console_.start_epoch();
      const auto start = std::chrono::steady_clock::now();
      const auto before = seconds_by_activity();
      const std::optional<train::Score> score = trainer_.epoch([&](const train::StepReport& step) {
        stop = step.stop;
        after_step(step);
      });
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      record_.seconds += seconds;
      record_.total_seconds += seconds;
      add_split(before);
      if (score)
        after_epoch(*score, stop.any());
      else
        save(false);
    }
    return stop;
  }

  // Writes the model and the summary. With train.patience the model is the best epoch's, and the weights
  // after the last step are beside it where they are others. Collective.
  void finish() {
    world_.together([&] {
      if (!folder_) return;
      const WritingPhase writing_phase;
      warn_of(folder_->checkpoints().wait());
      folder_->metrics().complete();
      const bool of_best = !best_weights_.empty();
      const std::span<const float> weights =
          of_best ? std::span<const float>(best_weights_) : trainer_.parameters();
      const bool another = of_best && !std::ranges::equal(weights, trainer_.parameters());
      const std::string hash = hash_hex(std::as_bytes(weights));
      writing(folder_->path(), [&] {
        const auto& tensors = experiment_.model().tensors();
        nn::save_model(folder_->files() / "model.safetensors", tensors, weights,
                       {{data::Schema::kKey, trained_on_}});
        fs::remove(folder_->files() / kLastWeights);
        if (another)
          nn::save_model(folder_->files() / kLastWeights, tensors, trainer_.parameters(),
                         {{data::Schema::kKey, trained_on_}});
        report::write_summary(
            folder_->files() / "summary.json",
            {.name = loaded_.name,
             .epochs = record_.last.epoch,
             .metrics = of_best ? record_.best_row : record_.last,
             .steps = trainer_.steps_done(),
             .total_seconds = record_.total_seconds,
             .train_samples = info_.train_samples,
             .parameters = experiment_.model().parameters(),
             .weights_hash = hash,
             .weights_of_best = of_best,
             .best_epoch = record_.best_epoch,
             .began_from = record_.began_from,
             .data = {experiment_.schema().fingerprint.train, experiment_.schema().fingerprint.test},
             .ranks = world_.size(),
             .threads = compute_.threads,
             .placement = placement_,
             .config = loaded_.resolved,
             .provenance = provenance(compute_)});
      });
      if (folder_->beside_another()) folder_->replace(trainer_.steps_done());
      if (another)
        console_.line(fmt::format(
            "the model has the weights of epoch {}, the best; those after the last step are in {}",
            record_.best_epoch, kLastWeights));
      console_.line(fmt::format("weights {}, written to {}", hash, folder_->path().string()));
    });
  }

  // After the last checkpoint is on the disk: where it is; "" where it could not be written.
  std::string last_checkpoint() {
    if (!folder_) return "";
    const WritingPhase writing_phase;
    const std::string problem = folder_->checkpoints().wait();
    if (!problem.empty()) console_.warning(problem);
    return problem.empty() ? folder_->checkpoints().file_of(trainer_.steps_done()).string() : "";
  }

  bool out_of_patience() const {
    return run_.train.patience > 0 && record_.last.epoch >= record_.best_epoch + run_.train.patience &&
           record_.last.epoch > 0;
  }

 private:
  static constexpr const char* kLastWeights = "last.safetensors";

  bool watches_for_the_best() const { return run_.train.patience > 0; }
  std::string weights_hash() const { return hash_hex(std::as_bytes(trainer_.parameters())); }

  void after_step(const train::StepReport& step) {
    record_.last_learning_rate = step.learning_rate;
    record_.rescaled_steps += step.repeats;
    const auto samples = static_cast<std::size_t>(step.sums.samples);
    const std::size_t done = trainer_.samples_of_epoch(),
                      later = (run_.train.epochs - step.epoch) * info_.train_samples;
    console_.progress(step.epoch, run_.train.epochs, done, info_.train_samples,
                      info_.train_samples - done + later);
    if (run_.log.gradients) add_gradient_norms();
    if (folder_ && folder_->steps())
      folder_->steps()->write({step.step, step.epoch, samples, step.loss(), weights_hash()});
    const std::size_t every = run_.checkpoint.every_steps;
    if (every != 0 && step.step % every == 0 && trainer_.step_in_epoch() != 0) save(false);
  }

  // What the time since then was spent on, over all ranks. Collective.
  void add_split(const std::array<double, kActivities>& before) {
    const auto now = seconds_by_activity();
    const auto spent = [&](Activity activity) {
      const auto a = static_cast<std::size_t>(activity);
      return std::llround(1e9 * (now[a] - before[a]));
    };
    std::int64_t split[] = {spent(Activity::kGather) + spent(Activity::kForward) +
                                spent(Activity::kBackward) + spent(Activity::kUpdate),
                            spent(Activity::kWait), spent(Activity::kTransfer)};
    world_.allreduce_sum(split);
    const double unit = 1e-9 / world_.size();
    record_.compute_seconds += unit * static_cast<double>(split[0]);
    record_.wait_seconds += unit * static_cast<double>(split[1]);
    record_.transfer_seconds += unit * static_cast<double>(split[2]);
  }

  void add_gradient_norms() {
    const auto& tensors = experiment_.model().tensors();
    const std::vector<float> gradient = experiment_.reducer().gradient();
    for (std::size_t t = 0; t < tensors.size(); ++t)
      record_.gradient_norms[t] +=
          std::sqrt(kernels::sum_of_squares(tensors[t].slice(std::span(gradient)), compute_.threads));
    ++record_.gradient_steps;
  }

  void after_epoch(const train::Score& score, bool stopping) {
    const train::Score test = [&] {
      const Span span(Activity::kEvaluation, trainer_.steps_done());
      return experiment_.test_score();
    }();
    if (info_.test_samples > 0 && !std::isfinite(test.loss))
      trainer_.report_divergence(
          trainer_.steps_done(),
          fmt::format("the test loss, or that of a test sample, is not below {:.2g}", FixedSum::kLimit));
    report::EpochRow row{.epoch = trainer_.epochs_done(),
                         .train_loss = score.loss,
                         .train_accuracy = accuracy(score, info_),
                         .test_loss = test.loss,
                         .test_accuracy = accuracy(test, info_),
                         .learning_rate = record_.last_learning_rate,
                         .seconds = record_.seconds,
                         .samples_per_second = static_cast<double>(score.samples) / record_.seconds,
                         .rescaled_steps = record_.rescaled_steps,
                         .compute_seconds = record_.compute_seconds,
                         .wait_seconds = record_.wait_seconds,
                         .transfer_seconds = record_.transfer_seconds};
    record_.last = row;
    record_.seconds = record_.compute_seconds = record_.wait_seconds = record_.transfer_seconds = 0.0;
    record_.rescaled_steps = 0;
    if (folder_) write_rows(row);
    console_.epoch(row);
    const double value = monitored(run_.train.monitor, row, info_);
    const auto improves = [&](const std::optional<double>& best) {
      return !best || better(run_.train.monitor, value, *best);
    };
    if (improves(record_.best)) {
      record_.best = value;
      record_.best_epoch = row.epoch;
      record_.best_row = row;
      if (watches_for_the_best() && folder_)
        best_weights_.assign(trainer_.parameters().begin(), trainer_.parameters().end());
    }
    const std::size_t every = run_.checkpoint.every_epochs, every_steps = run_.checkpoint.every_steps;
    const bool last = row.epoch == run_.train.epochs || out_of_patience();
    const bool due = every != 0 && (row.epoch % every == 0 || last);
    const bool step_due = every_steps != 0 && trainer_.steps_done() % every_steps == 0;
    const bool best = improves(record_.best_saved);
    if (!due && !step_due && !stopping && !(best && watches_for_the_best())) return;
    if (best) record_.best_saved = value;
    save(best);
  }

  // A file that cannot be written now may be written later: training goes on.
  void write_rows(const report::EpochRow& row) {
    const WritingPhase writing_phase;
    std::vector<double> norms;
    for (double& sum : record_.gradient_norms)
      norms.push_back(std::exchange(sum, 0.0) / static_cast<double>(record_.gradient_steps));
    record_.gradient_steps = 0;
    try {
      folder_->metrics().write(row);
      if (folder_->steps()) folder_->steps()->flush();
      if (folder_->gradients()) folder_->gradients()->write(row.epoch, norms);
    } catch (const ConfigError& error) {
      warn_of(error.what());
    }
  }

  void save(bool best) {
    if (!folder_) return;
    const WritingPhase writing_phase;
    try {
      if (folder_->steps()) folder_->steps()->flush();
    } catch (const ConfigError& error) {
      warn_of(error.what());
    }
    const SavedRun run{record_, folder_->metrics().rows(), loaded_.resolved, trained_on_, {}};
    const Span span(Activity::kCheckpoint, trainer_.steps_done());
    warn_of(folder_->checkpoints().write(trainer_.state_view(), to_metadata(run), best));
    if (folder_->beside_another()) replace_the_other_run();
  }

  // Now that there is a checkpoint, if it could be written; else the next one does it.
  void replace_the_other_run() {
    const std::string problem = folder_->checkpoints().wait();
    try {
      if (problem.empty()) folder_->replace(trainer_.steps_done());
      warn_of(problem);
    } catch (const ConfigError& error) {
      warn_of(error.what());
    }
  }

  void warn_of(const std::string& problem) {
    if (!problem.empty()) console_.warning(fmt::format("{}; training goes on", problem));
  }

  const comm::Communicator& world_;
  const LoadedConfig& loaded_;
  const config::RunConfig& run_;
  const Compute& compute_;
  const std::vector<std::string> placement_;  // on rank 0
  Experiment& experiment_;
  train::Trainer& trainer_;
  const std::string trained_on_;
  const data::DatasetInfo& info_;
  report::Console& console_;
  RunRecord record_;
  std::vector<float> best_weights_;  // with train.patience: those of record_.best_epoch, on rank 0
  std::optional<RunFolder> folder_;  // on rank 0
};

// Ends a run that has stopped, and says why. The exit code. Collective.
int conclude(Training& training, const train::StopRequests& stop, const config::RunConfig& run,
             const train::Trainer& trainer, report::Console& console) {
  if (stop.interrupts + stop.terminations > 0) {
    const bool interrupt = stop.interrupts > 0;
    const std::string saved = training.last_checkpoint();
    console.line(fmt::format("{} after step {}: {}", interrupt ? "interrupted" : "terminated",
                             trainer.steps_done(),
                             saved.empty() ? "its state could not be saved"
                                           : fmt::format("saved {}, --resume latest goes on", saved)));
    return interrupt ? 130 : 143;
  }
  if (stop.timeouts > 0)
    console.line(fmt::format("train.max_seconds are over after step {}; --resume latest goes on",
                             trainer.steps_done()));
  else if (trainer.epochs_done() < run.train.epochs)
    console.line(fmt::format("stopped early after epoch {}: {} epochs without a better {}",
                             trainer.epochs_done(), run.train.patience, run.train.monitor));
  training.finish();
  return 0;
}

// Where the run goes: --out, or the run folder whose config.toml this is, or runs/NAME.
fs::path run_folder(const TrainArguments& arguments, const std::string& name) {
  if (!arguments.out.empty()) return arguments.out;
  const fs::path config = arguments.config, folder = config.has_parent_path() ? config.parent_path() : ".";
  const bool of_run = config.filename() == "config.toml" && found_run(folder).has_value();
  return of_run ? folder : fs::path("runs") / name;
}

}  // namespace

int train(const comm::Session& session, const TrainArguments& arguments) {
  const comm::Communicator& world = session.world();
  LoadedConfig loaded = load_config(world, arguments.config, arguments.overrides);
  std::optional<RunPlace> place;  // on rank 0
  std::string out, resume;
  world.together([&] {
    if (world.rank() != 0) return;
    if (!arguments.resume_from.empty() && !loaded.run.train.init_from.empty())
      throw ConfigError(
          fmt::format("--resume-from {} and train.init_from = \"{}\" both give weights, expected one of them",
                      arguments.resume_from, loaded.run.train.init_from.string()));
    out = run_folder(arguments, loaded.name);
    writing(out, [&] { place.emplace(PlaceOptions{out, arguments.resume, arguments.overwrite}); });
    resume = place->resume();
  });
  world.broadcast(out, 0);
  world.broadcast(resume, 0);
  const Compute compute = agree_on_compute(loaded.run.compute, world);
  report::Console console(world.rank() == 0 && !arguments.quiet);
  console.line(fmt::format("lockstep {}: {}", kVersion, describe_run(loaded.run, world.size(), compute)));
  console.line(fmt::format("{} kernels: {}", compute.kernel_names(), compute.reason));
  if (!compute.note.empty()) console.line(compute.note);

  Watchdog::Options watched{.seconds = loaded.run.watchdog_seconds,
                            .rank = world.rank(),
                            .ranks = world.size(),
                            .host = comm::host_name(),
                            .folder = {}};
  std::optional<Watchdog> watchdog(std::in_place, watched);
  Experiment experiment(loaded.run, world, compute.threads);
  world.together([&] { expect_monitored(loaded.run.train.monitor, experiment.info()); });
  const std::optional<Resumed> resumed = read_resumed(world, resume, out, loaded, experiment, console);
  Training training(world, loaded, compute, placement(world), experiment, console);
  std::optional<Resumed> beginning;
  if (!resumed && !arguments.resume_from.empty())
    beginning = read_beginning(world, arguments.resume_from, experiment, console);
  training.start(std::move(place), resumed ? &*resumed : nullptr, beginning ? &*beginning : nullptr);
  watched.folder = fs::path(out) / ".heartbeat";
  watchdog.emplace(watched);
  print_model(console, loaded, experiment);
  if (resumed)
    console.line(
        fmt::format("goes on from {}, after step {}", resumed->name, experiment.trainer().steps_done()));
  if (beginning) console.line(describe_beginning(*beginning, experiment.trainer()));

  if (!arguments.trace.empty()) begin_trace(world, arguments.trace);
  const int code = conclude(training, training.run(), loaded.run, experiment.trainer(), console);
  if (!arguments.trace.empty()) write_trace(world, arguments.trace, console);
  return code;
}

}  // namespace lockstep::cli
