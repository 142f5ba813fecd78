#include "report/run_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace lockstep::report {
namespace {

// Replaces the file. Every line that follows is checked by `flushed`.
std::ofstream begin(const std::filesystem::path& path, const std::string& header) {
  std::ofstream file(path, std::ios::trunc);
  file << header << '\n';
  return file;
}

void flushed(std::ofstream& file, const std::filesystem::path& path) {
  errno = 0;
  if (!file.flush())
    throw ConfigError(fmt::format("{}: cannot be written: {}", path.string(),
                                  errno != 0 ? std::strerror(errno) : "the stream failed"));
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path)
    : path_(std::move(path)),
      file_(begin(path_,
                  "epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,"
                  "samples_per_second,rescaled_steps")) {
  flushed(file_, path_);
}

void MetricsFile::write(const EpochRow& row) {
  file_ << fmt::format("{},{:#.10g},{:.9g},{:#.10g},{:.9g},{:.9g},{:.4f},{:.1f},{}\n", row.epoch,
                       row.train_loss, row.train_accuracy, row.test_loss, row.test_accuracy,
                       row.learning_rate, row.seconds, row.samples_per_second, row.rescaled_steps);
  flushed(file_, path_);
}

GradientsFile::GradientsFile(std::filesystem::path path, const std::vector<std::string>& tensors)
    : path_(std::move(path)), file_(begin(path_, fmt::format("epoch,{}", fmt::join(tensors, ",")))) {
  flushed(file_, path_);
}

void GradientsFile::write(std::size_t epoch, std::span<const double> norms) {
  file_ << epoch;
  for (const double norm : norms) file_ << fmt::format(",{:.9g}", norm);
  file_ << '\n';
  flushed(file_, path_);
}

StepsFile::StepsFile(std::filesystem::path path)
    : path_(std::move(path)), file_(begin(path_, "step,epoch,samples,loss,weights_hash")) {
  flushed(file_, path_);
}

void StepsFile::write(const StepRow& row) {
  file_ << fmt::format("{},{},{},{:#.12g},{}\n", row.step, row.epoch, row.samples, row.loss,
                       row.weights_hash);
}

void StepsFile::flush() { flushed(file_, path_); }

}  // namespace lockstep::report
