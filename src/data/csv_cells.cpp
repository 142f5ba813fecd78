#include "data/csv_cells.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace lockstep::data {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// A number of any magnitude that statistics can be made of.
double number_of(const CsvTable& table, const CsvRow& row, std::size_t column, bool missing_allowed) {
  constexpr double kMax = 1e300;
  const std::string& cell = row.cells[column];
  const auto value = number_in(cell);
  if (!value || !std::isfinite(*value))
    table.refuse(row, column,
                 is_missing(cell) && !missing_allowed
                     ? R"(a finite number (data.missing = "mean" or "drop" allows missing cells))"
                     : "a finite number");
  if (std::fabs(*value) > kMax || (*value != 0.0 && std::fabs(*value) < 1.0 / kMax))
    table.refuse(row, column, "0 or a magnitude from 1e-300 to 1e300");
  return *value;
}

double value_target(const CsvTable& table, const CsvRow& row, std::size_t column, bool scaled) {
  if (is_missing(row.cells[column]))
    table.refuse(row, column, R"(a finite number (data.missing = "drop" leaves out what is missing))");
  const double value = number_of(table, row, column, true);
  constexpr double kMax = 1e150;  // whose square there is
  if (scaled && (std::fabs(value) > kMax || (value != 0.0 && std::fabs(value) < 1.0 / kMax)))
    table.refuse(row, column, "0 or a magnitude from 1e-150 to 1e150");
  if (!scaled && !std::isfinite(static_cast<float>(value))) table.refuse(row, column, "a finite number");
  return value;
}

// Throws DataError where float32, which the network computes in, holds nothing of a column: data.normalize =
// "mean_std" and "scale" bring any magnitude to order 1, the others do not.
void expect_float_magnitudes(const CsvTable& table, std::size_t column, Normalization kind) {
  constexpr double kMax = 1e38;
  if (kind == Normalization::kMeanStd || kind == Normalization::kScale) return;
  const auto magnitude = [&](const CsvRow& row) {
    return is_number(row.cells[column]) ? std::fabs(*number_in(row.cells[column])) : 0.0;
  };
  const CsvRow& largest = *std::ranges::max_element(table.rows, {}, magnitude);
  if (magnitude(largest) > kMax || (magnitude(largest) > 0.0 && magnitude(largest) < 1.0 / kMax))
    table.refuse(largest, column,
                 R"(a column that reaches 1e-38 to 1e38, or data.normalize = "mean_std" or "scale")");
}

// Mean and standard deviation (of the population), by Welford's recurrence.
class Moments {
 public:
  void add(double x) {
    ++count_;
    const double from_mean = x - mean_;
    mean_ += from_mean / static_cast<double>(count_);
    squares_ += from_mean * (x - mean_);
  }
  std::size_t count() const { return count_; }
  double mean() const { return mean_; }
  double stddev() const { return std::sqrt(squares_ / static_cast<double>(count_)); }

 private:
  std::size_t count_ = 0;
  double mean_ = 0.0, squares_ = 0.0;
};

// The texts of the training samples that have one, in order, and the part of these samples that has each.
void fit_categories(CsvColumn& column, const std::vector<double>& present, const CsvTexts& texts) {
  std::vector<std::size_t> counts(texts.size());
  for (const double number : present) ++counts[static_cast<std::size_t>(number)];
  std::vector<std::size_t> found;
  for (std::size_t t = 0; t < counts.size(); ++t)
    if (counts[t] != 0) found.push_back(t);
  std::sort(found.begin(), found.end(),
            [&](std::size_t a, std::size_t b) { return texts.text(a) < texts.text(b); });
  for (const std::size_t t : found) {
    column.categories.push_back(texts.text(t));
    column.means.push_back(static_cast<double>(counts[t]) / static_cast<double>(present.size()));
  }
}

}  // namespace

std::size_t CsvTexts::number(const std::string& text) {
  const auto [place, added] = numbers_.emplace(text, texts_.size());
  if (added) texts_.push_back(text);
  return place->second;
}

CsvCells read_cells(const CsvTable& table, const CsvColumns& columns, const CsvPlaces& places,
                    const CsvClasses* classes, bool labelled, const DataOptions& options,
                    std::vector<CsvTexts>& texts) {
  const std::size_t width = columns.features.size();
  const bool missing_allowed = options.missing != Missing::kRefuse;
  CsvCells cells{.file = table.path.string(),
                 .width = width,
                 .values = {},
                 .targets = {},
                 .lines = {},
                 .rows = {},
                 .missing = std::vector<std::size_t>(width),
                 .dropped = table.dropped};
  cells.values.reserve(table.rows.size() * width);
  for (const CsvRow& row : table.rows) {
    for (std::size_t j = 0; j < width; ++j) {
      const std::size_t column = places.features[j];
      const std::string& cell = row.cells[column];
      if (missing_allowed && is_missing(cell)) {
        ++cells.missing[j];
        cells.values.push_back(kMissing);
      } else if (!columns.features[j].categorical) {
        cells.values.push_back(number_of(table, row, column, missing_allowed));
      } else if (is_missing(cell)) {
        table.refuse(row, column, R"(a category (data.missing = "mean" or "drop" allows missing cells))");
      } else {
        cells.values.push_back(static_cast<double>(texts[j].number(cell)));
      }
    }
    const double target = !labelled            ? 0.0
                          : classes != nullptr ? static_cast<double>(classes->of(table, row, places.target))
                                               : value_target(table, row, places.target,
                                                              options.target_scale == TargetScale::kMeanStd);
    cells.targets.push_back(target);
    cells.lines.push_back(static_cast<std::uint32_t>(row.line));
    cells.rows.push_back(static_cast<std::uint32_t>(row.number));
  }
  for (std::size_t j = 0; j < width; ++j)
    if (!columns.features[j].categorical)
      expect_float_magnitudes(table, places.features[j], options.normalize);
  return cells;
}

void fit(CsvColumns& columns, const CsvCells& cells, std::span<const std::uint32_t> training,
         const std::vector<CsvTexts>& texts, const DataOptions& options) {
  for (std::size_t j = 0; j < columns.features.size(); ++j) {
    CsvColumn& column = columns.features[j];
    std::vector<double> present;
    for (const std::uint32_t sample : training)
      if (const double value = cells.values[sample * cells.width + j]; !std::isnan(value))
        present.push_back(value);
    if (present.empty())
      throw DataError(
          fmt::format("{}: column \"{}\" is missing in all training samples, expected values "
                      "(data.ignore leaves a column out)",
                      cells.file, column.name));
    if (column.categorical) {
      fit_categories(column, present, texts[j]);
    } else {
      Moments moments;
      for (const double value : present) moments.add(value);
      column.means = {moments.mean()};
    }
  }
  if (options.target_scale == TargetScale::kNone) return;
  Moments moments;
  for (const std::uint32_t sample : training) moments.add(cells.targets[sample]);
  columns.target_scaled = true;
  columns.target_mean = moments.mean();
  if (moments.stddev() > 0.0) columns.target_stddev = moments.stddev();
}

CsvEncoder::CsvEncoder(const CsvColumns& columns, const std::vector<CsvTexts>& texts)
    : columns_(&columns), texts_(&texts) {
  for (std::size_t j = 0; j < columns.features.size(); ++j) {
    const auto& categories = columns.features[j].categories;
    std::vector<std::size_t>& of_text = category_.emplace_back();
    for (std::size_t t = 0; t < texts[j].size(); ++t) {
      const auto found = std::lower_bound(categories.begin(), categories.end(), texts[j].text(t));
      const bool seen = found != categories.end() && *found == texts[j].text(t);
      of_text.push_back(seen ? static_cast<std::size_t>(found - categories.begin()) : kNone);
    }
  }
}

void CsvEncoder::encode_row(const CsvCells& cells, std::size_t row, std::span<double> features) const {
  for (std::size_t j = 0; j < columns_->features.size(); ++j) {
    const CsvColumn& column = columns_->features[j];
    const std::span own = features.first(column.features());
    features = features.subspan(own.size());
    const double value = cells.values[row * cells.width + j];
    if (std::isnan(value)) {
      std::copy(column.means.begin(), column.means.end(), own.begin());
    } else if (!column.categorical) {
      own[0] = value;
    } else {
      std::fill(own.begin(), own.end(), 0.0);
      const auto text = static_cast<std::size_t>(value);
      if (const std::size_t category = category_[j][text]; category != kNone) own[category] = 1.0;
    }
  }
}

void CsvEncoder::expect_known(const CsvCells& cells, std::span<const std::uint32_t> samples) const {
  for (std::size_t j = 0; j < columns_->features.size(); ++j) {
    const CsvColumn& column = columns_->features[j];
    if (!column.categorical) continue;
    for (const std::uint32_t sample : samples) {
      const double value = cells.values[sample * cells.width + j];
      if (std::isnan(value) || category_[j][static_cast<std::size_t>(value)] != kNone) continue;
      throw DataError(fmt::format(
          "{}:{}: column \"{}\" is \"{}\", expected a category of the training samples: {} "
          "(data.unseen_category = \"zeros\" takes it for none of them)",
          cells.file, cells.lines[sample], column.name, (*texts_)[j].text(static_cast<std::size_t>(value)),
          fmt::join(column.categories, ", ")));
    }
  }
}

SampleStore CsvEncoder::encode(const CsvCells& cells, std::span<const std::uint32_t> samples) const {
  SampleStore store = SampleStore::of_values(samples.size(), columns_->feature_count());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    encode_row(cells, samples[i], store.value_row(i));
    store.targets[i] =
        static_cast<float>((cells.targets[samples[i]] - columns_->target_mean) / columns_->target_stddev);
  }
  return store;
}

}  // namespace lockstep::data
