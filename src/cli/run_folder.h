// The folder of a training run, and its files; exists on rank 0 alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "cli/experiment.h"
#include "cli/run_record.h"
#include "cli/setup.h"
#include "report/run_files.h"
#include "train/checkpoint_folder.h"

namespace lockstep::cli {

class RunFolder {
 public:
  // Makes the folder and takes away what an earlier run left there; or, with a checkpoint to go on from,
  // keeps what is of the steps before it. Throws ConfigError where it cannot be written, or another run
  // writes to it.
  RunFolder(const std::filesystem::path& path, const LoadedConfig& loaded, const Experiment& experiment,
            const SavedRun* resumed, std::size_t step);

  const std::filesystem::path& path() const { return path_; }
  report::MetricsFile& metrics() { return *metrics_; }
  std::optional<report::StepsFile>& steps() { return steps_; }
  std::optional<report::GradientsFile>& gradients() { return gradients_; }
  train::CheckpointFolder& checkpoints() { return *checkpoints_; }

 private:
  std::filesystem::path path_;
  std::optional<FileLock> lock_;
  std::optional<report::MetricsFile> metrics_;
  std::optional<report::StepsFile> steps_;
  std::optional<report::GradientsFile> gradients_;
  std::optional<train::CheckpointFolder> checkpoints_;
};

}  // namespace lockstep::cli
