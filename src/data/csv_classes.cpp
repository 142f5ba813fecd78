#include "data/csv_classes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace lockstep::data {
namespace {

template <typename T>
void make_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// The place of a value; the size where there is none.
template <typename T>
std::size_t place_of(const std::vector<T>& sorted, const T& value) {
  const auto place = std::lower_bound(sorted.begin(), sorted.end(), value);
  return place != sorted.end() && *place == value ? static_cast<std::size_t>(place - sorted.begin())
                                                  : sorted.size();
}

}  // namespace

CsvClasses::CsvClasses(const CsvTable& table, std::size_t column) {
  for (const CsvRow& row : table.rows) {
    const std::string& cell = row.cells[column];
    if (is_missing(cell))
      table.refuse(row, column, R"(a class (data.missing = "drop" leaves out what is missing))");
    const auto value = number_in(cell);
    if (!numbers_.empty() && !value) table.refuse(row, column, "a whole number, as in the rows before");
    if (!names_.empty() && value) table.refuse(row, column, "a name, as in the rows before");
    if (value && (*value != std::floor(*value) || std::fabs(*value) > 1e15))
      table.refuse(row, column, "a class: a whole number or a name (data.task = \"regression\" fits values)");
    if (value)
      numbers_.push_back(*value);
    else
      names_.push_back(cell);
  }
  make_unique(numbers_);
  make_unique(names_);
  constexpr std::size_t kMax = 1000;
  if (size() < 2 || size() > kMax)
    throw DataError(fmt::format("{}: column {} has {} class{}, expected 2 to {}", table.path.string(),
                                table.column_name(column), size(), size() == 1 ? "" : "es", kMax));
}

CsvClasses::CsvClasses(const std::vector<std::string>& names) : names_(names) {
  for (const std::string& name : names)
    if (const auto value = number_in(name)) numbers_.push_back(*value);
  if (!numbers_.empty()) names_.clear();
}

std::size_t CsvClasses::of(const CsvTable& table, const CsvRow& row, std::size_t column) const {
  const std::string& cell = row.cells[column];
  std::size_t place = size();
  if (const auto value = number_in(cell); value && !numbers_.empty())
    place = place_of(numbers_, *value);
  else if (numbers_.empty())
    place = place_of(names_, cell);
  if (place >= size())
    table.refuse(row, column, fmt::format("one of the classes {}", fmt::join(names(), ", ")));
  return place;
}

std::vector<std::string> CsvClasses::names() const {
  std::vector<std::string> names = names_;
  for (const double value : numbers_) names.push_back(fmt::format("{:.0f}", value));
  return names;
}

std::string CsvClasses::mapping() const {
  if (names_.empty() && numbers_.front() == 0.0 && numbers_.back() == static_cast<double>(size() - 1))
    return "";
  constexpr std::size_t kShown = 10;
  std::vector<std::string> shown = names();
  if (shown.size() > kShown) shown = {shown.begin(), shown.begin() + kShown};
  return fmt::format("labels {}{} are classes 0 to {}", fmt::join(shown, ", "),
                     size() > kShown ? ", ..." : "", size() - 1);
}

}  // namespace lockstep::data
