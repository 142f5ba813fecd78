// The files of a run folder that people and scripts read while it grows: metrics.csv and steps.csv.
#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

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
  // With more than 10 classes: how often the right one is among the first five. Else NaN, and no column.
  double test_top5_accuracy = std::numeric_limits<double>::quiet_NaN();
};

// The row of an epoch among those of a metrics.csv. What they do not have is NaN.
EpochRow row_of_epoch(const std::string& rows, std::size_t epoch);
// The row as metrics.csv has it, with its newline. with_top5: see MetricsFile.
std::string metrics_row(const EpochRow& row, bool with_top5 = false);
// The columns of metrics.csv and a row's values in them, with the digits that the file has; null where that
// has nan.
nlohmann::ordered_json columns_of(const EpochRow& row, bool with_top5 = false);

// A row of steps.csv.
struct StepRow {
  std::size_t step = 0, epoch = 0, samples = 0;
  double loss = 0.0;
  std::string weights_hash;
};

// A file that grows row by row. Each of these throws ConfigError, which names the path and the system's
// reason, where the file cannot be written; what could not be written then is written by the next call.
class RowsFile {
 public:
  // header: the first line; empty: there is none. rows: of the file that it replaces, to be kept.
  RowsFile(std::filesystem::path path, const std::string& header, const std::string& rows);
  void add(const std::string& row) { pending_ += row; }
  // Writes what was added.
  void flush();

 private:
  std::filesystem::path path_;
  std::optional<GrowingFile> file_;
  std::string pending_;
};

// The whole lines of a file whose first field is a number of at most `last`: what such a file keeps of an
// earlier run that is gone on with.
std::string rows_up_to(const std::filesystem::path& path, std::size_t last);

class MetricsFile {
 public:
  // rows: of the epochs before, as rows() gave them. with_top5: the rows have a test_top5_accuracy, which is
  // NaN in rows of a version that did not have it.
  explicit MetricsFile(const std::filesystem::path& path, std::string rows = "", bool with_top5 = false);
  void write(const EpochRow& row);
  // Writes what a failure may have left out.
  void complete() { file_.flush(); }

  // All rows so far, whether they could be written or not.
  const std::string& rows() const { return rows_; }

 private:
  bool with_top5_;
  std::string rows_;
  RowsFile file_;
};

// gradients.csv: a row per epoch, a column per tensor.
class GradientsFile {
 public:
  // Keeps the rows of the file's epochs up to `epochs`.
  GradientsFile(const std::filesystem::path& path, const std::vector<std::string>& tensors,
                std::size_t epochs = 0);
  void write(std::size_t epoch, std::span<const double> norms);

 private:
  RowsFile file_;
};

class StepsFile {
 public:
  // Keeps the rows of the file's steps up to `steps`.
  explicit StepsFile(const std::filesystem::path& path, std::size_t steps = 0);
  void write(const StepRow& row);
  void flush() { file_.flush(); }

 private:
  RowsFile file_;
};

}  // namespace lockstep::report
