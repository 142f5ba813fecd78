#include "run/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/version.h"
#include "kernels/arrays.h"
#include "nn/model_file.h"
#include "report/summary.h"
#include "run/monitor.h"
#include "run/provenance.h"
#include "run/tables.h"
#include "train/divergence.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLastWeights = "last.safetensors";

}  // namespace

Training::Training(Job& job, const LoadedConfig& loaded, const Compute& compute,
                   std::vector<std::string> placement, Experiment& experiment,
                   std::shared_ptr<report::EventLog> events)
    : world_(job.world),
      loaded_(loaded),
      run_(loaded.run),
      compute_(compute),
      placement_(std::move(placement)),
      experiment_(experiment),
      trainer_(experiment.trainer()),
      trained_on_(experiment.schema().to_json()),
      info_(experiment.info()),
      console_(job.console),
      progress_(job.progress),
      logs_(loaded.run.log, std::move(events)) {
  if (run_.compute.balance) balance_.emplace(experiment, world_, progress_, console_);
}

void Training::start(std::optional<RunPlace> place, const Resumed* resumed, const Resumed* beginning) {
  if (beginning != nullptr) {
    world_.all_or_none([&] { trainer_.begin_with(beginning->checkpoint.training); });
    record_.began_from = fmt::format("{} (step {}, weights {})", beginning->name,
                                     beginning->checkpoint.training.step, weights_hash());
  }
  if (resumed != nullptr) {
    world_.all_or_none([&] {
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
  first_step_ = trainer_.steps_done();
  if (run_.log.gradients)
    record_.gradient_norms.resize(static_cast<std::size_t>(
        std::ranges::count_if(experiment_.model().tensors(), &nn::Tensor::has_gradient)));
  world_.all_or_none([&] {  // last, so that what went wrong before leaves an earlier run's files alone
    if (world_.rank() != 0) return;
    if (run_.log.layers) layers_.emplace(experiment_, run_, compute_.threads);
    if (run_.log.film) film_.emplace(experiment_, run_, compute_.threads);
    const auto tell = [this](std::size_t step, const fs::path& file) {
      logs_.checkpoint(step, step / experiment_.plan().steps_per_epoch(), file);
    };
    folder_.emplace(std::move(*place), loaded_, experiment_, resumed != nullptr ? &resumed->run : nullptr,
                    first_step_, tell);
    logs_.begin(folder_->files(), first_step_, trainer_.epochs_done(), resumed != nullptr,
                describe(resumed != nullptr ? resumed->name : record_.began_from));
  });
}

train::StopRequests Training::run() {
  if (trainer_.epochs_done() >= run_.train.epochs) {
    console_.line(
        fmt::format("nothing left to do: all {} epochs of train.epochs are done", run_.train.epochs));
    return {};
  }
  console_.start_table(run_.train.epochs);
  return train_epochs(trainer_, run_.train.epochs, *this);
}

Logs::Fields Training::describe(const std::string& from) const {
  Logs::Fields fields = {{"name", loaded_.name},
                         {"out", folder_->path().string()},
                         {"version", kVersion},
                         {"ranks", world_.size()},
                         {"threads", compute_.threads},
                         {"epochs", run_.train.epochs},
                         {"steps_per_epoch", experiment_.plan().steps_per_epoch()},
                         {"train_samples", info_.train_samples},
                         {"test_samples", info_.test_samples},
                         {"parameters", experiment_.model().parameters()}};
  if (!from.empty()) fields["from"] = from;
  fields["config"] = loaded_.resolved;
  return fields;
}

void Training::show_network() {
  const std::size_t step = trainer_.steps_done();
  if (!logs_.shows_images() || step == first_step_) return;
  if (const auto tiles = weight_tiles(info_, experiment_.model(), trainer_.network()))
    logs_.image(step, "weights", *tiles);
  if (info_.classes > 0 && info_.test_samples > 0)
    logs_.image(step, "confusion", confusion_tiles(info_.classes, experiment_.test_confusion()));
}

void Training::finish() {
  show_network();
  const std::span<const float> network = trainer_.network();
  world_.all_or_none([&] {
    if (!folder_) return;
    const liveness::Writing writing_files(&progress_);
    warn_of(folder_->checkpoints().wait());
    folder_->metrics().complete();
    logs_.flush();
    const bool of_best = !best_weights_.empty();
    const bool averaged = trainer_.keeps_average();
    const std::span<const float> weights = of_best ? std::span<const float>(best_weights_) : network;
    const bool another = of_best && !std::ranges::equal(weights, network);
    const std::string hash = hash_hex(std::as_bytes(weights));
    saved_hash_ = averaged ? weights_hash() : hash;
    writing(folder_->path(), [&] {
      const auto& tensors = experiment_.model().tensors();
      nn::save_model(folder_->files() / "model.safetensors", tensors, weights,
                     {{data::Schema::kKey, trained_on_}});
      fs::remove(folder_->files() / kLastWeights);
      if (another)
        nn::save_model(folder_->files() / kLastWeights, tensors, network,
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
           .weights_hash = saved_hash_,
           .average_hash = averaged ? hash : "",
           .weights_of_best = of_best,
           .best_epoch = record_.best_epoch,
           .began_from = record_.began_from,
           .data = {experiment_.schema().fingerprint.train, experiment_.schema().fingerprint.test},
           .ranks = world_.size(),
           .threads = compute_.threads,
           .placement = placement_,
           .shards = experiment_.division().counts(),
           .config = loaded_.resolved,
           .provenance = provenance(compute_)});
    });
    if (folder_->beside_another()) folder_->replace(trainer_.steps_done());
    if (another)
      console_.line(
          fmt::format("the model has the weights of epoch {}, the best; those after the last step are in {}",
                      record_.best_epoch, kLastWeights));
    console_.line(fmt::format("{}weights {}, written to {}", averaged ? "averaged " : "", hash,
                              folder_->path().string()));
  });
}

void Training::tell_end(const std::string& reason, const std::string& error) {
  Logs::Fields fields = {{"reason", reason}, {"seconds", record_.total_seconds}};
  if (!saved_hash_.empty()) fields["weights_hash"] = saved_hash_;
  if (!error.empty()) fields["error"] = error;
  logs_.end(fields);
  try {
    logs_.flush();
  } catch (const ConfigError& problem) {
    console_.warning(problem.what());
  }
}

std::string Training::last_checkpoint() {
  if (!folder_) return "";
  const liveness::Writing writing_files(&progress_);
  const std::string problem = folder_->checkpoints().wait();
  if (!problem.empty()) console_.warning(problem);
  return problem.empty() ? folder_->checkpoints().file_of(trainer_.steps_done()).string() : "";
}

bool Training::out_of_patience() const {
  return run_.early_stopping.patience > 0 &&
         record_.last.epoch >= record_.best_epoch + run_.early_stopping.patience && record_.last.epoch > 0 &&
         !std::isnan(monitored(run_.early_stopping.monitor, record_.last, info_));
}

std::string Training::weights_hash() const { return hash_hex(std::as_bytes(trainer_.parameters())); }

void Training::before_epoch() {
  console_.start_epoch();
  keep_before_last_step();
  epoch_start_ = std::chrono::steady_clock::now();
  if (balance_) {
    const liveness::Span span(&progress_, liveness::Activity::kSetUp, trainer_.steps_done() + 1);
    balance_->between_epochs();
  }
  spent_before_ = progress_.seconds();
}

void Training::after_step(const train::StepReport& step) {
  record_.last_learning_rate = step.learning_rate;
  record_.rescaled_steps += step.repeats;
  const auto samples = static_cast<std::size_t>(step.sums.samples);
  const std::size_t done = trainer_.samples_of_epoch(),
                    later = (run_.train.epochs - step.epoch) * info_.train_samples;
  console_.progress(step.epoch, run_.train.epochs, done, info_.train_samples,
                    info_.train_samples - done + later);
  if (run_.log.gradients) add_gradient_norms();
  if (trainer_.step_in_epoch() != 0) keep_before_last_step();
  if (folder_) logs_.after_step(step.step, step.epoch - 1, step.loss());
  if (folder_ && folder_->steps())
    folder_->steps()->write({step.step, step.epoch, samples, step.loss(), weights_hash()});
  const std::size_t every = run_.checkpoint.every_steps;
  if (every != 0 && step.step % every == 0 && trainer_.step_in_epoch() != 0) save(false);
}

void Training::add_split() {
  using liveness::Activity;
  const auto now = progress_.seconds();
  const auto spent = [&](Activity activity) {
    const auto a = static_cast<std::size_t>(activity);
    return std::llround(1e9 * (now[a] - spent_before_[a]));
  };
  std::int64_t split[] = {spent(Activity::kGather) + spent(Activity::kForward) + spent(Activity::kBackward) +
                              spent(Activity::kUpdate),
                          spent(Activity::kWait), spent(Activity::kTransfer)};
  world_.allreduce_sum(split);
  const double unit = 1e-9 / world_.size();
  record_.compute_seconds += unit * static_cast<double>(split[0]);
  record_.wait_seconds += unit * static_cast<double>(split[1]);
  record_.transfer_seconds += unit * static_cast<double>(split[2]);
}

void Training::add_gradient_norms() {
  const auto& tensors = experiment_.model().tensors();
  const std::vector<float> gradient = experiment_.reducer().gradient();
  auto norm = record_.gradient_norms.begin();
  for (const nn::Tensor& tensor : tensors)
    if (tensor.has_gradient())
      *norm++ += std::sqrt(kernels::sum_of_squares(tensor.slice(std::span(gradient)), compute_.threads));
  ++record_.gradient_steps;
}

void Training::keep_before_last_step() {
  if (layers_ && trainer_.step_in_epoch() + 1 == experiment_.plan().steps_per_epoch())
    layers_->keep(trainer_.parameters());
}

void Training::after_epoch(const std::optional<train::Score>& score, const train::StopRequests& stop) {
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - epoch_start_).count();
  record_.seconds += seconds;
  record_.total_seconds += seconds;
  add_split();
  if (score)
    after_whole_epoch(*score, stop);
  else
    save(false);
}

train::Score Training::test_score(bool wanted) {
  const std::size_t epoch = trainer_.epochs_done();
  const bool due = epoch % run_.eval.every_epochs == 0 || epoch == run_.train.epochs;
  if (!due && !wanted) return {.loss = std::nan("")};
  const liveness::Span span(&progress_, liveness::Activity::kEvaluation, trainer_.steps_done());
  const train::Score test = experiment_.test_score();
  if (test.samples > 0 && !std::isfinite(test.loss))
    throw train::divergence(
        trainer_.parts(), trainer_.steps_done(),
        fmt::format("the test loss, or that of a test sample, is not below {:.2g}", FixedSum::kLimit));
  return test;
}

void Training::after_whole_epoch(const train::Score& score, const train::StopRequests& stop) {
  report::EpochRow row{.epoch = trainer_.epochs_done(),
                       .train_loss = score.loss,
                       .train_accuracy = accuracy(score, info_),
                       .test_loss = std::nan(""),
                       .test_accuracy = std::nan(""),
                       .learning_rate = record_.last_learning_rate,
                       .seconds = record_.seconds,
                       .samples_per_second = static_cast<double>(score.samples) / record_.seconds,
                       .rescaled_steps = record_.rescaled_steps,
                       .compute_seconds = record_.compute_seconds,
                       .wait_seconds = record_.wait_seconds,
                       .transfer_seconds = record_.transfer_seconds};
  const auto improves = [&](const std::optional<double>& best) {
    const double value = monitored(run_.early_stopping.monitor, row, info_);
    return !std::isnan(value) && (!best || better(run_.early_stopping.monitor, value, *best));
  };
  const bool best_in_training = watches_for_the_best() && improves(record_.best);
  const train::Score test = test_score(stop.timeouts > 0 || best_in_training);
  row.test_loss = test.loss;
  row.test_accuracy = accuracy(test, info_);
  if (train::counts_top5(info_.classes)) row.test_top5_accuracy = test.top5_accuracy();
  record_.last = row;
  record_.seconds = record_.compute_seconds = record_.wait_seconds = record_.transfer_seconds = 0.0;
  record_.rescaled_steps = 0;
  const std::span<const float> network = trainer_.network();
  if (folder_) write_rows(row, network);
  console_.epoch(row);
  const double value = monitored(run_.early_stopping.monitor, row, info_);
  if (improves(record_.best)) {
    record_.best = value;
    record_.best_epoch = row.epoch;
    record_.best_row = row;
    if (watches_for_the_best() && folder_) best_weights_.assign(network.begin(), network.end());
  }
  const std::size_t every = run_.checkpoint.every_epochs, every_steps = run_.checkpoint.every_steps;
  const bool last = row.epoch == run_.train.epochs || out_of_patience();
  const bool due = every != 0 && (row.epoch % every == 0 || last);
  const bool step_due = every_steps != 0 && trainer_.steps_done() % every_steps == 0;
  const bool best = improves(record_.best_saved);
  if (!due && !step_due && !stop.any() && !(best && watches_for_the_best())) return;
  if (best) record_.best_saved = value;
  save(best);
}

void Training::write_rows(const report::EpochRow& row, std::span<const float> network) {
  const liveness::Writing writing_files(&progress_);
  std::vector<double> norms;
  for (double& sum : record_.gradient_norms)
    norms.push_back(std::exchange(sum, 0.0) / static_cast<double>(record_.gradient_steps));
  record_.gradient_steps = 0;
  try {
    folder_->metrics().write(row);
    if (folder_->steps()) folder_->steps()->flush();
    if (folder_->gradients()) folder_->gradients()->write(row.epoch, norms);
    if (layers_)
      folder_->layers()->write(row.epoch, layers_->look(trainer_.parameters(), trainer_.steps_done()));
    if (film_ && film_->wants(row.epoch)) {
      folder_->film()->add(film_->rows(row.epoch, network));
      folder_->film()->flush();
    }
    logs_.after_epoch(row, train::counts_top5(info_.classes), trainer_.steps_done(),
                      experiment_.tensors_with_gradients(), norms);
  } catch (const ConfigError& error) {
    warn_of(error.what());
  }
}

void Training::save(bool best) {
  const train::TrainingStateView state = trainer_.state_view();
  if (!folder_) return;
  const liveness::Writing writing_files(&progress_);
  try {
    if (folder_->steps()) folder_->steps()->flush();
  } catch (const ConfigError& error) {
    warn_of(error.what());
  }
  const SavedRun run{record_, folder_->metrics().rows(), loaded_.resolved, trained_on_, {}};
  const liveness::Span span(&progress_, liveness::Activity::kCheckpoint, trainer_.steps_done());
  warn_of(folder_->checkpoints().write(state, to_metadata(run), best));
  if (folder_->beside_another()) replace_the_other_run();
}

void Training::replace_the_other_run() {
  const std::string problem = folder_->checkpoints().wait();
  try {
    if (problem.empty()) folder_->replace(trainer_.steps_done());
    warn_of(problem);
  } catch (const ConfigError& error) {
    warn_of(error.what());
  }
}

void Training::warn_of(const std::string& problem) {
  if (!problem.empty()) console_.warning(fmt::format("{}; training goes on", problem));
}

}  // namespace lockstep::run
