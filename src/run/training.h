// A training run under way: the trainer, the record of the run, and on rank 0 the folder.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "liveness/progress.h"
#include "report/console.h"
#include "run/balance.h"
#include "run/compute.h"
#include "run/experiment.h"
#include "run/film.h"
#include "run/job.h"
#include "run/layer_log.h"
#include "run/logs.h"
#include "run/loop.h"
#include "run/resume.h"
#include "run/run_folder.h"
#include "run/run_place.h"
#include "run/run_record.h"
#include "run/setup.h"

namespace lockstep::run {

class Training final : private LoopObserver {
 public:
  // What is referred to must outlive it. placement: on rank 0.
  // events: on rank 0, where they are wanted; else null.
  Training(Job& job, const LoadedConfig& loaded, const Compute& compute, std::vector<std::string> placement,
           Experiment& experiment, std::shared_ptr<report::EventLog> events);

  // Sets out: goes on from a checkpoint, or begins with one, if there is one. place: on rank 0. Collective.
  void start(std::optional<RunPlace> place, const Resumed* resumed, const Resumed* beginning);

  // Trains to the end, or until asked to stop. Collective.
  train::StopRequests run();

  // Writes the model and the summary. With train.patience the model is the best epoch's, and the weights
  // after the last step are beside it where they are others. Collective.
  void finish();

  // Tells those who follow it why the run ends; error: what went wrong, where something did. Collective only
  // in that each rank may call it.
  void tell_end(const std::string& reason, const std::string& error = "");

  // After the last checkpoint is on the disk: where it is; "" where it could not be written.
  std::string last_checkpoint();

 private:
  bool out_of_patience() const;
  bool wants_more() const override { return !out_of_patience(); }
  void before_epoch() override;
  void after_step(const train::StepReport& step) override;
  void after_epoch(const std::optional<train::Score>& score, const train::StopRequests& stop) override;
  bool watches_for_the_best() const { return run_.early_stopping.patience > 0; }
  std::string weights_hash() const;
  // What the epoch's time was spent on, over all ranks. Collective.
  void add_split();
  void add_gradient_norms();
  // What layers.csv needs of the moment before an epoch's last step.
  void keep_before_last_step();
  // What the first event says of the run. from: the checkpoint that it goes on from or begins with; empty:
  // none.
  Logs::Fields describe(const std::string& from) const;
  // The first layer's weights, and which classes are taken for which, where images are wanted. Collective.
  void show_network();
  // Evaluates if it is time to, writes the epoch's rows, and saves if it is time to. Collective.
  void after_whole_epoch(const train::Score& score, const train::StopRequests& stop);
  // Of the weights as they are; without samples if eval.every_epochs leaves this epoch out and it is not
  // `wanted` anyway. Collective.
  train::Score test_score(bool wanted);
  // A file that cannot be written now may be written later: training goes on.
  void write_rows(const report::EpochRow& row, std::span<const float> network);
  // Collective.
  void save(bool best);
  // Now that there is a checkpoint, if it could be written; else the next one does it.
  void replace_the_other_run();
  void warn_of(const std::string& problem);

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
  liveness::Progress& progress_;
  std::chrono::steady_clock::time_point epoch_start_;
  std::array<double, liveness::kActivities> spent_before_{};  // the epoch, by activity
  RunRecord record_;
  std::size_t first_step_ = 0;       // the run has set out after so many
  std::string saved_hash_;           // summary.json's weights_hash, once it is written
  std::vector<float> best_weights_;  // with train.patience: those of record_.best_epoch, on rank 0
  std::optional<Balance> balance_;   // with compute.balance
  Logs logs_;                        // begun on rank 0
  std::optional<RunFolder> folder_;  // on rank 0, as the next
  std::optional<LayerLog> layers_;   // with log.layers
  std::optional<Film> film_;         // with log.film
};

}  // namespace lockstep::run
