// The folder of a training run, and its files; exists on rank 0 alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "report/layers_file.h"
#include "report/run_files.h"
#include "run/experiment.h"
#include "run/run_place.h"
#include "run/run_record.h"
#include "run/setup.h"
#include "train/checkpoint_folder.h"

namespace lockstep::run {

class RunFolder {
 public:
  // Takes the place; with a checkpoint to go on from, keeps what is of the steps before it. Throws
  // ConfigError where it cannot be written, or another run writes to it.
  // on_written: see train::CheckpointFolder; what it refers to must outlive this.
  RunFolder(RunPlace place, const LoadedConfig& loaded, const Experiment& experiment, const SavedRun* resumed,
            std::size_t step, train::CheckpointFolder::OnWritten on_written = {});

  // Where the run is found, once it has a checkpoint or is done.
  const std::filesystem::path& path() const { return place_.out(); }
  // Where its files are now.
  std::filesystem::path files() const { return place_.files(); }
  report::MetricsFile& metrics() { return *metrics_; }
  std::optional<report::StepsFile>& steps() { return steps_; }
  std::optional<report::GradientsFile>& gradients() { return gradients_; }
  std::optional<report::LayersFile>& layers() { return layers_; }
  std::optional<report::RowsFile>& film() { return film_; }
  train::CheckpointFolder& checkpoints() { return *checkpoints_; }

  bool beside_another() const { return place_.beside_another(); }
  // Takes the other run's place after so many steps, when all files but these tables are written. Throws
  // ConfigError.
  void replace(std::size_t step);

 private:
  // Opens the files; keeps the rows of steps up to `step` and these of the epochs.
  void open(const std::string& metrics, std::size_t step);

  RunPlace place_;
  const config::RunConfig& run_;
  const Experiment& experiment_;
  const train::CheckpointFolder::OnWritten on_written_;
  std::optional<report::MetricsFile> metrics_;
  std::optional<report::StepsFile> steps_;
  std::optional<report::GradientsFile> gradients_;
  std::optional<report::LayersFile> layers_;
  std::optional<report::RowsFile> film_;
  std::optional<train::CheckpointFolder> checkpoints_;
};

}  // namespace lockstep::run
