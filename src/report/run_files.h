// The files of a run folder that people and scripts read while it grows: metrics.csv and steps.csv.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace lockstep::report {

// A row of metrics.csv. Accuracies are fractions; training columns are the running mean over the epoch's
// samples.
struct EpochRow {
  std::size_t epoch = 0;  // 1, 2, ...
  double train_loss = 0.0, train_accuracy = 0.0;
  double test_loss = 0.0, test_accuracy = 0.0;
  double learning_rate = 0.0;  // of the epoch's last step
  double seconds = 0.0;        // of training, without the evaluation
  double samples_per_second = 0.0;
  std::size_t rescaled_steps =
      0;  // how often a step was computed again with better scales (reduce.mode = "exact")
  // What `seconds` were spent on, as means over the ranks: computing, waiting for ranks that compute longer,
  // and then for what is left of the gradients' sum.
  double compute_seconds = 0.0, wait_seconds = 0.0, transfer_seconds = 0.0;
};

// A row of steps.csv.
struct StepRow {
  std::size_t step = 0, epoch = 0, samples = 0;
  double loss = 0.0;
  std::string weights_hash;
};

// CSV files that grow row by row. Each throws ConfigError, which names the path, where it cannot be written.
class MetricsFile {
 public:
  // rows: of the epochs before, as rows() gave them.
  explicit MetricsFile(std::filesystem::path path, std::string rows = "");
  // After a failure the next call writes all rows anew.
  void write(const EpochRow& row);
  // Writes what a failure may have left out.
  void complete();

  // All rows so far, whether they could be written or not.
  const std::string& rows() const { return rows_; }

 private:
  std::filesystem::path path_;
  std::ofstream file_;
  std::string rows_;
  bool whole_ = true;
};

// gradients.csv: a row per epoch, a column per tensor.
class GradientsFile {
 public:
  // Keeps the rows of the file's epochs up to `epochs`.
  GradientsFile(std::filesystem::path path, const std::vector<std::string>& tensors, std::size_t epochs = 0);
  void write(std::size_t epoch, std::span<const double> norms);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

class StepsFile {
 public:
  // Keeps the rows of the file's steps up to `steps`.
  explicit StepsFile(std::filesystem::path path, std::size_t steps = 0);
  void write(const StepRow& row);
  void flush();

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace lockstep::report
