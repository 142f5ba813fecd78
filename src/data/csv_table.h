// The cells of a CSV file (RFC 4180, read by libcsv), and whether its first row names the columns. Blank
// lines are skipped. A line break in a cell counts as a space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/options.h"

namespace lockstep::data {

struct CsvRow {
  std::size_t line = 0;    // of the file, from 1
  std::size_t number = 0;  // among the file's rows of samples, from 1
  std::vector<std::string> cells;
};

// The number that a whole cell is, also "nan" and "inf".
std::optional<double> number_in(std::string_view cell);
// That of a finite number.
bool is_number(std::string_view cell);
// Empty, "?", or, in letters of either case, "NA", "N/A", "NaN" or "null".
bool is_missing(std::string_view cell);

struct CsvTable {
  std::filesystem::path path;
  std::vector<std::string> header;  // empty without one
  std::size_t header_line = 0;
  bool may_have_header = false;  // the first row is taken for a sample, and that was not asked for
  // That, and it is 0, 1, 2, ..., or 2019, 2020, 2021: at least three, as programs number columns.
  bool first_row_counts() const;
  std::vector<CsvRow> rows;  // at least one, all of columns() cells
  std::size_t dropped = 0;   // rows that were left out
  std::uint64_t hash = 0;    // of the file's content

  // With Header::kAuto the first row is a header if no cell of it is a finite number.
  // Throws DataError, which names file and line: the file cannot be read or is no CSV, has no rows, a row has
  // another number of cells than the first or repeats the header, or it cannot be told whether the first row
  // is a header: it has no number, and a cell of it is one of its column's other cells too.
  CsvTable(std::filesystem::path file, Header kind);
  // Another file with columns of these names (empty: they have none), some of which hold numbers if
  // `has_numbers`. With Header::kAuto its first row is a header if it has these names, or if that cannot be a
  // sample: none of its cells is a finite number and there should be some.
  CsvTable(std::filesystem::path file, Header kind, const std::vector<std::string>& names, bool has_numbers);

  std::size_t columns() const { return header.empty() ? rows.front().cells.size() : header.size(); }
  // As messages name it: "colour" in quotation marks, or its number from 1 on.
  std::string column_name(std::size_t column) const;

  // The column with this name, or with this number from 1 on; nothing if there is none. Throws ConfigError,
  // which begins with `key`, where several columns have the name.
  std::optional<std::size_t> find(const std::string& name, const char* key) const;
  // "a, b, label, or 1 to 3": what find() finds.
  std::string column_names() const;

  // Leaves out the rows that have a missing cell in these columns. Throws DataError if none is left.
  void drop_rows_with_missing(const std::vector<std::size_t>& wanted);

  [[noreturn]] void refuse(const CsvRow& row, std::size_t column, const std::string& expected) const;

 private:
  void read();
  void take_header();
  void check_rows();
};

}  // namespace lockstep::data
