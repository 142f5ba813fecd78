#include "report/trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/csv_cell.h"

namespace lockstep::report {

double Trial::mean() const {
  if (!ok() || scores.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0.0;
  for (const double score : scores) sum += score;
  return sum / static_cast<double>(scores.size());
}

double Trial::stddev() const {
  if (!ok() || scores.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (scores.size() == 1) return 0.0;
  double sum = 0.0;
  for (const double score : scores) sum += (score - mean()) * (score - mean());
  return std::sqrt(sum / static_cast<double>(scores.size() - 1));
}

void sort_trials(std::vector<Trial>& trials, bool higher_is_better) {
  std::stable_sort(trials.begin(), trials.end(), [&](const Trial& a, const Trial& b) {
    if (a.ok() != b.ok()) return a.ok();
    if (!a.ok()) return false;
    return higher_is_better ? a.mean() > b.mean() : a.mean() < b.mean();
  });
}

std::string trials_csv(const std::vector<std::string>& parameters, const std::vector<Trial>& trials,
                       const std::string& score) {
  std::string table;
  table.append("trial,status,score_name,score,score_std,runs");
  for (const std::string& key : parameters) table += fmt::format(",{}", key);
  table += ",seconds,error\n";
  for (const Trial& trial : trials) {
    table += fmt::format("{},{},{},{:.9g},{:.9g},{}", trial.number, trial.ok() ? "ok" : "failed", score,
                         trial.mean(), trial.stddev(), trial.scores.size());
    for (const std::string& value : trial.values) table += fmt::format(",{}", csv_cell(value));
    table += fmt::format(",{:.3f},{}\n", trial.seconds, csv_cell(trial.error));
  }
  return table;
}

std::string trials_table(const std::vector<std::string>& parameters, const std::vector<Trial>& trials,
                         const std::string& score) {
  std::vector<std::size_t> widths;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    widths.push_back(parameters[p].size());
    for (const Trial& trial : trials) widths[p] = std::max(widths[p], trial.values[p].size());
  }
  std::string table = fmt::format("{:>5}", "trial");
  for (std::size_t p = 0; p < parameters.size(); ++p)
    table += fmt::format("  {:>{}}", parameters[p], widths[p]);
  table += fmt::format("  {:>14}  {:>9}", score, "+-");
  for (const Trial& trial : trials) {
    table += fmt::format("\n{:>5}", trial.number);
    for (std::size_t p = 0; p < parameters.size(); ++p)
      table += fmt::format("  {:>{}}", trial.values[p], widths[p]);
    table += trial.ok() ? fmt::format("  {:>14.6f}  {:>9.6f}", trial.mean(), trial.stddev())
                        : fmt::format("  {:>14}  {}", "failed", trial.error);
  }
  return table;
}

}  // namespace lockstep::report
