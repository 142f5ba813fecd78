#include "report/run_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "base/error.h"

namespace lockstep::report {
namespace {

// Runs a write; what the system says of a failure becomes a ConfigError.
template <typename Write>
void writing(const std::filesystem::path& path, Write&& write) {
  try {
    write();
  } catch (const std::system_error& error) {
    throw ConfigError(fmt::format("{}: cannot be written: {}", path.string(), error.code().message()));
  }
}

constexpr const char* kMetricsHeader =
    "epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,seconds,samples_per_second,"
    "rescaled_steps,compute_seconds,wait_seconds,transfer_seconds";
constexpr const char* kTop5Column = ",test_top5_accuracy";

std::string metrics_header(bool with_top5) {
  return fmt::format("{}{}", kMetricsHeader, with_top5 ? kTop5Column : "");
}

// Rows of metrics.csv, each with a cell for kTop5Column.
std::string with_last_column(const std::string& rows) {
  const auto columns = std::count(kMetricsHeader, kMetricsHeader + std::strlen(kMetricsHeader), ',') + 1;
  std::istringstream lines(rows);
  std::string wider;
  for (std::string line; std::getline(lines, line);)
    wider += line + (std::ranges::count(line, ',') < columns ? ",nan\n" : "\n");
  return wider;
}

// A cell as JSON has it: a whole number, a number, or null.
nlohmann::ordered_json json_of(const std::string& cell) {
  if (cell.find_first_not_of("0123456789") == std::string::npos) return std::stoull(cell);
  const double value = std::strtod(cell.c_str(), nullptr);
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

}  // namespace

std::string metrics_row(const EpochRow& row, bool with_top5) {
  const std::string columns =
      fmt::format("{},{:#.10g},{:.9g},{:#.10g},{:.9g},{:.9g},{:.6f},{:.1f},{},{:.6f},{:.6f},{:.6f}",
                  row.epoch, row.train_loss, row.train_accuracy, row.test_loss, row.test_accuracy,
                  row.learning_rate, row.seconds, row.samples_per_second, row.rescaled_steps,
                  row.compute_seconds, row.wait_seconds, row.transfer_seconds);
  return columns + (with_top5 ? fmt::format(",{:.9g}\n", row.test_top5_accuracy) : "\n");
}

nlohmann::ordered_json columns_of(const EpochRow& row, bool with_top5) {
  nlohmann::ordered_json columns = nlohmann::ordered_json::object();
  std::string line = metrics_row(row, with_top5);
  line.pop_back();  // its newline
  std::istringstream names(metrics_header(with_top5)), cells(line);
  for (std::string name, cell; std::getline(names, name, ',') && std::getline(cells, cell, ',');)
    columns[name] = json_of(cell);
  return columns;
}

EpochRow row_of_epoch(const std::string& rows, std::size_t epoch) {
  std::array<double, 13> cells;
  cells.fill(std::nan(""));
  std::istringstream lines(rows);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(fmt::format("{},", epoch))) continue;
    std::istringstream row(line);
    std::string cell;
    for (double& value : cells)
      if (std::getline(row, cell, ',')) value = std::strtod(cell.c_str(), nullptr);
  }
  return {.epoch = epoch,
          .train_loss = cells[1],
          .train_accuracy = cells[2],
          .test_loss = cells[3],
          .test_accuracy = cells[4],
          .learning_rate = cells[5],
          .seconds = cells[6],
          .samples_per_second = cells[7],
          .rescaled_steps = std::isfinite(cells[8]) ? static_cast<std::size_t>(cells[8]) : 0,
          .compute_seconds = cells[9],
          .wait_seconds = cells[10],
          .transfer_seconds = cells[11],
          .test_top5_accuracy = cells[12]};
}

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

RowsFile::RowsFile(std::filesystem::path path, const std::string& header, const std::string& rows)
    : path_(std::move(path)) {
  writing(path_, [&] {
    using Before = GrowingFile::Before;
    const std::string top = header.empty() ? "" : header + '\n';
    if (!rows.empty()) write_file_atomically(path_, top + rows);  // kept at any moment
    file_.emplace(path_, rows.empty() ? Before::kGoes : Before::kStays);
    if (rows.empty()) file_->append(top);
  });
}

void RowsFile::flush() {
  if (pending_.empty()) return;
  writing(path_, [&] { file_->append(pending_); });
  pending_.clear();
}

MetricsFile::MetricsFile(const std::filesystem::path& path, std::string rows, bool with_top5)
    : with_top5_(with_top5),
      rows_(with_top5 ? with_last_column(rows) : std::move(rows)),
      file_(path, metrics_header(with_top5), rows_) {}

void MetricsFile::write(const EpochRow& row) {
  const std::string line = metrics_row(row, with_top5_);
  rows_ += line;
  file_.add(line);
  file_.flush();
}

GradientsFile::GradientsFile(const std::filesystem::path& path, const std::vector<std::string>& tensors,
                             std::size_t epochs)
    : file_(path, fmt::format("epoch,{}", fmt::join(tensors, ",")), rows_up_to(path, epochs)) {}

void GradientsFile::write(std::size_t epoch, std::span<const double> norms) {
  std::string row = std::to_string(epoch);
  for (const double norm : norms) row += fmt::format(",{:.9g}", norm);
  file_.add(row + '\n');
  file_.flush();
}

StepsFile::StepsFile(const std::filesystem::path& path, std::size_t steps)
    : file_(path, "step,epoch,samples,loss,weights_hash", rows_up_to(path, steps)) {}

void StepsFile::write(const StepRow& row) {
  file_.add(
      fmt::format("{},{},{},{:#.12g},{}\n", row.step, row.epoch, row.samples, row.loss, row.weights_hash));
}

}  // namespace lockstep::report
