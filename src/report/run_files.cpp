#include "report/run_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

namespace lockstep::report {
namespace {

// Replaces the file; rows that it is to keep are in the old one or the new one at any moment. Every line that
// follows is checked by `flushed`.
std::ofstream begin(const std::filesystem::path& path, const std::string& header, const std::string& rows) {
  if (rows.empty()) {
    std::ofstream file(path, std::ios::trunc);
    file << header << '\n';
    return file;
  }
  try {
    write_file_atomically(path, header + '\n' + rows);
  } catch (const std::system_error& error) {
    throw ConfigError(fmt::format("{}: cannot be written: {}", path.string(), error.code().message()));
  }
  return std::ofstream(path, std::ios::app);
}

void flushed(std::ofstream& file, const std::filesystem::path& path) {
  errno = 0;
  if (!file.flush())
    throw ConfigError(fmt::format("{}: cannot be written: {}", path.string(),
                                  errno != 0 ? std::strerror(errno) : "the stream failed"));
}

// The whole lines of a file whose first field is a number of at most `last`.
std::string rows_up_to(const std::filesystem::path& path, std::size_t last) {
  std::ifstream file(path);
  std::string rows;
  for (std::string line; last > 0 && std::getline(file, line) && !file.eof();) {
    std::size_t number = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error == std::errc() && number <= last) rows.append(line).append(1, '\n');
  }
  return rows;
}

constexpr const char* kMetricsHeader =
    "epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second,"
    "rescaled_steps,compute_seconds,wait_seconds,transfer_seconds";

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path, std::string rows)
    : path_(std::move(path)), file_(begin(path_, kMetricsHeader, rows)), rows_(std::move(rows)) {
  flushed(file_, path_);
}

void MetricsFile::write(const EpochRow& row) {
  const std::string line =
      fmt::format("{},{:#.10g},{:.9g},{:#.10g},{:.9g},{:.9g},{:.4f},{:.1f},{},{:.4f},{:.4f},{:.4f}\n",
                  row.epoch, row.train_loss, row.train_accuracy, row.test_loss, row.test_accuracy,
                  row.learning_rate, row.seconds, row.samples_per_second, row.rescaled_steps,
                  row.compute_seconds, row.wait_seconds, row.transfer_seconds);
  rows_ += line;
  if (!whole_) return complete();
  whole_ = false;
  file_ << line;
  flushed(file_, path_);
  whole_ = true;
}

void MetricsFile::complete() {
  if (whole_) return;
  file_ = begin(path_, kMetricsHeader, rows_);
  flushed(file_, path_);
  whole_ = true;
}

GradientsFile::GradientsFile(std::filesystem::path path, const std::vector<std::string>& tensors,
                             std::size_t epochs)
    : path_(std::move(path)),
      file_(begin(path_, fmt::format("epoch,{}", fmt::join(tensors, ",")), rows_up_to(path_, epochs))) {
  flushed(file_, path_);
}

void GradientsFile::write(std::size_t epoch, std::span<const double> norms) {
  file_ << epoch;
  for (const double norm : norms) file_ << fmt::format(",{:.9g}", norm);
  file_ << '\n';
  flushed(file_, path_);
}

StepsFile::StepsFile(std::filesystem::path path, std::size_t steps)
    : path_(std::move(path)),
      file_(begin(path_, "step,epoch,samples,loss,weights_hash", rows_up_to(path_, steps))) {
  flushed(file_, path_);
}

void StepsFile::write(const StepRow& row) {
  file_ << fmt::format("{},{},{},{:#.12g},{}\n", row.step, row.epoch, row.samples, row.loss,
                       row.weights_hash);
}

void StepsFile::flush() { flushed(file_, path_); }

}  // namespace lockstep::report
