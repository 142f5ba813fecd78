// A recorded training step, and the .npz file that keeps it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/run_config.h"
#include "nn/model.h"
#include "run/job.h"
#include "train/step_layout.h"
#include "train/step_trace.h"

namespace lockstep::run {

// Which step of which run.
struct StepChoice {
  std::string config;
  std::vector<std::string> overrides;
  std::size_t step = 1;
  std::size_t samples = 0;  // about so many in the batch; 0: the configuration's
};

// Beside the arrays, all that they can be computed again from: neither data set nor configuration file is
// needed.
struct RecordedStep {
  std::string name;  // of the configuration
  std::string toml;  // the resolved configuration
  std::unique_ptr<const config::RunConfig> run;
  std::unique_ptr<const nn::Model> model;
  std::optional<nn::ImageShape> image;  // of a sample
  std::size_t classes = 0;              // 0: targets are values
  double target_unit = 1.0;             // DatasetInfo::target_stddev
  int threads = 1;                      // to compute with
  train::StepTrace trace;

  train::StepRules rules() const;
  train::StepLayout layout() const { return {rules(), image, classes, trace.start.rows()}; }
};

// Trains up to the step, and records it. Throws CollectiveError, also where the job has more than one rank or
// the configuration fewer steps. `command` is who asks, for messages.
RecordedStep record_step(Job& job, const StepChoice& choice, const std::string& command);

// The file's arrays are the layout's of the step, of float32, in their order; `README`, a text; and `config`,
// `step`, `sample_ids`, `micro_batches`, `classes` and `target_unit`, from which read_step makes the rest.
// Returns how many arrays it has. Throws ConfigError where it cannot be written.
std::size_t write_step(const std::filesystem::path& path, const RecordedStep& step,
                       const std::string& readme);
// Throws DataError, which names the file, where it is not such a file.
RecordedStep read_step(const std::filesystem::path& path);

// What the arrays are, for people: each layer's formula, the loss's and the optimizer's.
std::string step_readme(const RecordedStep& step, const std::vector<train::Deviation>& deviations);

}  // namespace lockstep::run
