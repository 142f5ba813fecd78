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
};

// A row of steps.csv.
struct StepRow {
  std::size_t step = 0, epoch = 0, samples = 0;
  double loss = 0.0;
  std::string weights_hash;
};

// A CSV file that grows row by row. Throws ConfigError, which names the path, where it cannot be written.
class MetricsFile {
 public:
  explicit MetricsFile(std::filesystem::path path);
  void write(const EpochRow& row);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

// gradients.csv: a row per epoch, a column per tensor.
class GradientsFile {
 public:
  GradientsFile(std::filesystem::path path, const std::vector<std::string>& tensors);
  void write(std::size_t epoch, std::span<const double> norms);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

class StepsFile {
 public:
  explicit StepsFile(std::filesystem::path path);
  void write(const StepRow& row);
  void flush();

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace lockstep::report
