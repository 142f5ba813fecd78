#include "data/csv_table.h"

#include <csv.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace lockstep::data {
namespace {

// The rows of a file, blank lines left out.
class Rows {
 public:
  explicit Rows(const std::filesystem::path& path) : path_(path) {
    std::string text;
    try {
      text = read_file(path);
    } catch (const std::system_error& error) {
      throw DataError(fmt::format("{}: cannot be read: {}", path.string(), error.code().message()));
    }
    hash_ = hash64(std::as_bytes(std::span(text)));
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    for (std::size_t begin = 0; begin < text.size();) {  // line by line, so that rows know their lines
      const std::size_t newline = text.find('\n', begin);
      const std::size_t end = newline == std::string::npos ? text.size() : newline + 1;
      ++line_;
      if (csv_parse(&parser_, text.data() + begin, end - begin, on_cell, on_row, this) != end - begin) fail();
      begin = end;
    }
    if (csv_fini(&parser_, on_cell, on_row, this) != 0) fail();
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { csv_free(&parser_); }

  std::vector<CsvRow> take() { return std::move(rows_); }
  std::uint64_t hash() const { return hash_; }  // of the file's content

 private:
  static void on_cell(void* bytes, std::size_t size, void* self) {
    std::string cell(static_cast<const char*>(bytes), size);
    std::replace_if(
        cell.begin(), cell.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    static_cast<Rows*>(self)->cells_.push_back(std::move(cell));
  }
  static void on_row(int, void* self) {
    auto& rows = *static_cast<Rows*>(self);
    rows.rows_.push_back({rows.line_, 0, std::exchange(rows.cells_, {})});
  }
  [[noreturn]] void fail() {
    csv_free(&parser_);
    throw DataError(fmt::format("{}:{}: not CSV: a quotation mark is out of place", path_.string(), line_));
  }

  const std::filesystem::path& path_;
  csv_parser parser_{};
  std::uint64_t hash_ = 0;
  std::size_t line_ = 0;
  std::vector<std::string> cells_;
  std::vector<CsvRow> rows_;
};

// What separates the cells of another kind of file; empty where no cell looks like that.
std::string separator_hint(const std::vector<std::string>& cells) {
  for (const auto& [separator, name] : {std::pair(';', "semicolons"), std::pair('\t', "tabs")})
    for (const std::string& cell : cells)
      if (cell.find(separator) != std::string::npos)
        return fmt::format(" (the cells seem to be separated by {}, expected commas)", name);
  return "";
}

bool has_number(const std::vector<std::string>& cells) {
  return std::any_of(cells.begin(), cells.end(), is_number);
}

// The first column whose first cell is one of its other cells too.
std::optional<std::size_t> repeated_column(const std::vector<CsvRow>& rows) {
  const auto& first = rows.front().cells;
  for (std::size_t column = 0; column < first.size(); ++column)
    for (std::size_t i = 1; i < rows.size(); ++i)
      if (column < rows[i].cells.size() && !is_missing(first[column]) &&
          rows[i].cells[column] == first[column] && rows[i].cells != first)
        return column;
  return std::nullopt;
}

}  // namespace

std::optional<double> number_in(std::string_view cell) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  double value = 0.0;
  const auto [stop, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || stop != cell.data() + cell.size()) return std::nullopt;
  return value;
}

bool is_number(std::string_view cell) {
  const auto value = number_in(cell);
  return value && std::isfinite(*value);
}

bool is_missing(std::string_view cell) {
  std::string lower(cell);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const char* word : {"", "?", "na", "n/a", "nan", "null"})
    if (lower == word) return true;
  return false;
}

CsvTable::CsvTable(std::filesystem::path file, Header kind) : path(std::move(file)) {
  read();
  const auto& first = rows.front();
  const bool found = !has_number(first.cells);
  may_have_header = kind == Header::kAuto && !found;
  if (kind == Header::kAuto && found)
    if (const auto column = repeated_column(rows))
      throw DataError(
          fmt::format("{}:{}: column {} is \"{}\", as in lines after it: if this line is a "
                      "header: data.header = \"yes\"; if it is a sample: data.header = \"no\"",
                      path.string(), first.line, *column + 1, first.cells[*column]));
  if (kind == Header::kYes || (kind == Header::kAuto && found)) take_header();
  check_rows();
  if (columns() < 2)
    throw DataError(fmt::format("{}: has a single column, expected features and a target{}", path.string(),
                                separator_hint(rows.front().cells)));
}

CsvTable::CsvTable(std::filesystem::path file, Header kind, const std::vector<std::string>& names,
                   bool has_numbers)
    : path(std::move(file)) {
  read();
  const auto& first = rows.front().cells;
  const bool named = !names.empty() && std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(first.begin(), first.end(), name) != first.end();
  });
  const bool found = named || (has_numbers && !has_number(first));
  if (kind == Header::kYes || (kind == Header::kAuto && found)) take_header();
  check_rows();
}

void CsvTable::read() {
  Rows read(path);
  hash = read.hash();
  rows = read.take();
  if (rows.empty()) throw DataError(fmt::format("{}: is empty, expected rows of numbers", path.string()));
}

bool CsvTable::first_row_counts() const {
  const std::vector<std::string>& cells = rows.front().cells;
  if (!may_have_header || cells.size() < 3) return false;
  long long first = 0;
  const std::string& text = cells.front();
  if (std::from_chars(text.data(), text.data() + text.size(), first).ec != std::errc()) return false;
  for (const std::string& cell : cells)
    if (cell != std::to_string(first++)) return false;
  return true;
}

void CsvTable::take_header() {
  header = std::move(rows.front().cells);
  header_line = rows.front().line;
  rows.erase(rows.begin());
}

void CsvTable::check_rows() {
  if (rows.empty())
    throw DataError(fmt::format("{}: has a header and no rows, expected rows of numbers{}", path.string(),
                                separator_hint(header)));
  for (CsvRow& row : rows) {
    row.number = static_cast<std::size_t>(&row - rows.data()) + 1;
    if (row.cells.size() != columns())
      throw DataError(fmt::format("{}:{}: has {} cells, expected {} as in the first row{}", path.string(),
                                  row.line, row.cells.size(), columns(), separator_hint(row.cells)));
    if (row.cells == header)
      throw DataError(fmt::format("{}:{}: repeats the header of line {}, expected a sample", path.string(),
                                  row.line, header_line));
  }
}

std::string CsvTable::column_name(std::size_t column) const {
  return header.empty() ? std::to_string(column + 1) : fmt::format("\"{}\"", header[column]);
}

std::string CsvTable::column_names() const {
  return fmt::format("{}1 to {}", header.empty() ? "" : fmt::format("{}, or ", fmt::join(header, ", ")),
                     columns());
}

std::optional<std::size_t> CsvTable::find(const std::string& name, const char* key) const {
  const auto named = std::find(header.begin(), header.end(), name);
  if (named != header.end()) {
    const auto place = static_cast<std::size_t>(named - header.begin());
    const auto again = std::find(named + 1, header.end(), name);
    if (again != header.end())
      throw ConfigError(fmt::format("{}: columns {} and {} of {} are both called \"{}\", expected a number",
                                    key, place + 1, again - header.begin() + 1, path.string(), name));
    return place;
  }
  std::size_t counted = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), counted);
  if (error == std::errc() && stop == name.data() + name.size() && counted >= 1 && counted <= columns())
    return counted - 1;
  return std::nullopt;
}

void CsvTable::drop_rows_with_missing(const std::vector<std::size_t>& wanted) {
  dropped = std::erase_if(rows, [&](const CsvRow& row) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](std::size_t column) { return is_missing(row.cells[column]); });
  });
  if (rows.empty())
    throw DataError(
        fmt::format("{}: each of {} rows has a missing cell, expected some without", path.string(), dropped));
}

void CsvTable::refuse(const CsvRow& row, std::size_t column, const std::string& expected) const {
  std::string hint = separator_hint(row.cells);
  if (hint.empty() && may_have_header && !is_number(rows.front().cells[column]))
    hint = fmt::format(" (if line {} is a header: data.header = \"yes\")", rows.front().line);
  throw DataError(fmt::format("{}:{}: column {} is \"{}\", expected {}{}", path.string(), row.line,
                              column_name(column), row.cells[column], expected, hint));
}

}  // namespace lockstep::data
