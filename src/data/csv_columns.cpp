#include "data/csv_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "base/error.h"

namespace lockstep::data {
namespace {

std::string plain_name(const CsvTable& table, std::size_t column) {
  return table.header.empty() ? std::to_string(column + 1) : table.header[column];
}

std::size_t target_column(const CsvTable& table, const std::string& target) {
  if (target.empty()) return table.columns() - 1;
  if (const auto column = table.find(target, "data.target")) return *column;
  throw ConfigError(fmt::format("data.target is \"{}\", expected a column of {}: {}", target,
                                table.path.string(), table.column_names()));
}

// The columns that a key lists.
std::set<std::size_t> listed(const CsvTable& table, const std::vector<std::string>& names, const char* key,
                             std::size_t target) {
  std::set<std::size_t> columns;
  for (const std::string& name : names) {
    const auto column = table.find(name, key);
    if (!column)
      throw ConfigError(fmt::format("{} has \"{}\", expected columns of {}: {}", key, name,
                                    table.path.string(), table.column_names()));
    if (*column == target)
      throw ConfigError(
          fmt::format("{} has \"{}\", which is the target (data.target), expected features", key, name));
    columns.insert(*column);
  }
  return columns;
}

std::set<std::size_t> columns_in_use(const CsvTable& table, const DataOptions& options, std::size_t target) {
  if (!options.columns.empty() && !options.ignore.empty())
    throw ConfigError("data.columns and data.ignore are both set, expected one of them at most");
  if (!options.columns.empty()) return listed(table, options.columns, "data.columns", target);
  const std::set<std::size_t> ignored = listed(table, options.ignore, "data.ignore", target);
  std::set<std::size_t> used;
  for (std::size_t column = 0; column < table.columns(); ++column)
    if (column != target && !ignored.contains(column)) used.insert(column);
  if (used.empty())
    throw ConfigError(fmt::format("data.ignore leaves no column of {} but the target, expected features",
                                  table.path.string()));
  return used;
}

// A number with a decimal comma, or numbers between semicolons or tabs.
bool is_numbers_of_another_kind(std::string cell) {
  std::replace(cell.begin(), cell.end(), ',', '.');
  for (std::size_t begin = 0; begin <= cell.size();) {
    const std::size_t end = std::min(cell.find_first_of(";\t", begin), cell.size());
    if (is_number(std::string_view(cell).substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

bool has_no_number(const CsvTable& table, std::size_t column) {
  bool present = false;
  for (const CsvRow& row : table.rows) {
    if (is_missing(row.cells[column])) continue;
    if (number_in(row.cells[column])) return false;
    present = true;
  }
  return present;
}

void expect_categories(const CsvTable& table, std::size_t column) {
  constexpr std::size_t kMax = 1000, kFew = 20;
  std::unordered_set<std::string_view> texts;
  for (const CsvRow& row : table.rows) texts.insert(row.cells[column]);
  if (texts.size() > kMax || (texts.size() > kFew && 2 * texts.size() > table.rows.size()))
    throw DataError(
        fmt::format("{}: column {} has {} different texts in {} rows, expected numbers, or "
                    "categories that recur, {} at most (data.ignore leaves a column out)",
                    table.path.string(), table.column_name(column), texts.size(), table.rows.size(), kMax));
}

bool is_whole(const std::string& cell) {
  return !cell.empty() && std::all_of(cell.begin(), cell.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Whether the first row has, in each of these columns, a text that no other row has, while other texts recur.
bool stands_alone(const CsvTable& table, const std::vector<std::size_t>& columns) {
  const auto text_of = [](const std::string& cell) {  // "10.0" is the class 10
    const auto value = number_in(cell);
    return value ? fmt::format("{}", *value) : cell;
  };
  bool recurs = false;
  for (const std::size_t column : columns) {
    const std::string first = text_of(table.rows.front().cells[column]);
    std::unordered_set<std::string> others;
    for (std::size_t i = 1; i < table.rows.size(); ++i) {
      std::string text = text_of(table.rows[i].cells[column]);
      if (text == first) return false;
      if (!others.insert(std::move(text)).second) recurs = true;
    }
  }
  return recurs;
}

// Whether the first row's cells are all whole numbers, as years are, in columns that have no other.
bool is_whole_alone(const CsvTable& table, const std::vector<std::size_t>& columns) {
  constexpr std::size_t kMinRows = 3;  // rows that say something of a column
  return table.rows.size() >= kMinRows &&
         std::all_of(columns.begin(), columns.end(), [&](std::size_t column) {
           const auto whole = [&](const CsvRow& row) { return is_whole(row.cells[column]); };
           return std::count_if(table.rows.begin(), table.rows.end(), whole) == 1 &&
                  whole(table.rows.front());
         });
}

// Refuses a first row with numbers that differs in kind from all others: it may be a header.
void expect_sample_first(const CsvTable& table, const CsvColumns& columns, Task task) {
  std::vector<std::size_t> texts, all = {columns.target.place};
  if (task == Task::kClassification) texts.push_back(columns.target.place);
  for (const CsvColumn& column : columns.features) {
    all.push_back(column.place);
    if (column.categorical) texts.push_back(column.place);
  }
  if (!stands_alone(table, texts) && !is_whole_alone(table, all)) return;
  std::string row = fmt::format("{}", fmt::join(table.rows.front().cells, ","));
  constexpr std::size_t kShown = 60;
  if (row.size() > kShown) row = row.substr(0, kShown) + "...";
  throw DataError(
      fmt::format("{}:{}: the first row is \"{}\", and no other is like it: if it is a header: "
                  "data.header = \"yes\"; if it is a sample: data.header = \"no\"",
                  table.path.string(), table.rows.front().line, row));
}

}  // namespace

std::size_t CsvColumns::feature_count() const {
  std::size_t count = 0;
  for (const CsvColumn& column : features) count += column.features();
  return count;
}

std::vector<std::string> CsvColumns::names() const {
  std::vector<std::string> names;
  if (named)
    for (const CsvColumn& column : features) names.push_back(column.name);
  return names;
}

bool CsvColumns::has_numbers() const {
  return std::any_of(features.begin(), features.end(), [](const CsvColumn& c) { return !c.categorical; });
}

std::vector<std::string> CsvColumns::feature_names() const {
  std::vector<std::string> names;
  const bool categorical =
      std::any_of(features.begin(), features.end(), [](const CsvColumn& c) { return c.categorical; });
  if (!named && !categorical) return names;
  for (const CsvColumn& column : features) {
    if (!column.categorical) names.push_back(column.name);
    for (const std::string& category : column.categories)
      names.push_back(fmt::format("{}={}", column.name, category));
  }
  return names;
}

CsvColumns choose_columns(const CsvTable& table, const DataOptions& options) {
  const std::size_t target = target_column(table, options.target);
  CsvColumns columns{.file = table.path.string(),
                     .named = !table.header.empty(),
                     .width = table.columns(),
                     .features = {},
                     .target = {plain_name(table, target), target}};
  const std::set<std::size_t> used = columns_in_use(table, options, target);
  const std::set<std::size_t> named = listed(table, options.categories, "data.categories", target);
  for (const std::size_t column : named)
    if (!used.contains(column))
      throw ConfigError(
          fmt::format("data.categories has column {}, which is not in use (data.columns, "
                      "data.ignore), expected features",
                      table.column_name(column)));
  for (const std::size_t column : used) {
    const bool texts = has_no_number(table, column);
    if (texts)
      for (const CsvRow& row : table.rows)
        if (is_numbers_of_another_kind(row.cells[column])) table.refuse(row, column, "a finite number");
    columns.features.push_back({plain_name(table, column), column, texts || named.contains(column)});
    if (columns.features.back().categorical) expect_categories(table, column);
  }
  if (table.may_have_header) expect_sample_first(table, columns, options.task);
  return columns;
}

void expect_choice(const CsvColumns& fitted, const DataOptions& options) {
  const std::string trained = fmt::format("as in {}, which the network was trained on", fitted.file);
  const auto is = [](const CsvColumn& column, const std::string& name) {
    return name == column.name || name == std::to_string(column.place + 1);
  };
  const auto listed_in = [&](const std::vector<std::string>& names, const CsvColumn& column) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return is(column, name); });
  };
  const auto refuse = [&](const char* key, const std::string& found, const auto& expected) {
    std::vector<std::string> names;
    for (const CsvColumn& column : fitted.features)
      if (expected(column)) names.push_back(column.name);
    throw ConfigError(fmt::format("{} {}, expected {} {}", key, found,
                                  names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")),
                                  trained));
  };
  if (!options.target.empty() && !is(fitted.target, options.target))
    throw ConfigError(fmt::format("data.target is \"{}\", expected \"{}\" {}", options.target,
                                  fitted.target.name, trained));
  const auto any = [](const CsvColumn&) { return true; };
  const auto categorical = [](const CsvColumn& column) { return column.categorical; };
  const auto expect_features = [&](const char* key, const std::vector<std::string>& names,
                                   const auto& expected) {
    for (const std::string& name : names)
      if (std::none_of(fitted.features.begin(), fitted.features.end(),
                       [&](const CsvColumn& column) { return expected(column) && is(column, name); }))
        refuse(key, fmt::format("has \"{}\"", name), expected);
  };
  expect_features("data.columns", options.columns, any);
  expect_features("data.categories", options.categories, categorical);
  for (const CsvColumn& column : fitted.features) {
    if (!options.columns.empty() && !listed_in(options.columns, column))
      refuse("data.columns", fmt::format("does not have \"{}\"", column.name), any);
    if (listed_in(options.ignore, column))
      throw ConfigError(
          fmt::format("data.ignore has \"{}\", expected it among the features {}", column.name, trained));
    const bool of_numbers =
        column.categorical && std::all_of(column.categories.begin(), column.categories.end(),
                                          [](const auto& text) { return is_number(text); });
    if (!options.categories.empty() && of_numbers && !listed_in(options.categories, column))
      refuse("data.categories", fmt::format("does not have \"{}\"", column.name), categorical);
  }
  if (options.target_scale != TargetScale::kNone && !fitted.target_scaled)
    throw ConfigError(fmt::format("data.target_scale is \"mean_std\", expected \"none\" {}", trained));
}

CsvPlaces places_in(const CsvTable& table, const CsvColumns& columns, bool labelled) {
  CsvPlaces places;
  const bool by_name = columns.named && !table.header.empty();
  const bool without_target = !labelled && table.columns() + 1 == columns.width;
  if (!by_name && table.columns() != columns.width && !without_target)
    throw DataError(fmt::format("{}: has {} column{}, expected {}{} as in {}", table.path.string(),
                                table.columns(), table.columns() == 1 ? "" : "s", columns.width,
                                labelled ? "" : fmt::format(", or {} without the target", columns.width - 1),
                                columns.file));
  const auto place_of = [&](const CsvColumn& column) {
    if (!by_name) return column.place - (without_target && column.place > columns.target.place ? 1 : 0);
    if (column.place < table.columns() && table.header[column.place] == column.name) return column.place;
    const auto found = std::find(table.header.begin(), table.header.end(), column.name);
    if (found == table.header.end())
      throw DataError(fmt::format("{}:{}: has no column \"{}\", expected the columns of {}",
                                  table.path.string(), table.header_line, column.name, columns.file));
    return static_cast<std::size_t>(found - table.header.begin());
  };
  for (const CsvColumn& column : columns.features) places.features.push_back(place_of(column));
  if (labelled) places.target = place_of(columns.target);
  return places;
}

}  // namespace lockstep::data
