// The classes of a CSV file's target column: whole numbers, or names throughout. The distinct ones, in order,
// are classes 0, 1, ...
#pragma once

#include <string>
#include <vector>

#include "data/csv_table.h"

namespace lockstep::data {

class CsvClasses {
 public:
  // Those of a table's column. Throws DataError where a cell is missing or not a class, numbers are among
  // names, or there are fewer than 2 classes or more than 1000.
  CsvClasses(const CsvTable& table, std::size_t column);
  // Those with these names, as names() gives them.
  explicit CsvClasses(const std::vector<std::string>& names);

  std::size_t size() const { return numbers_.size() + names_.size(); }

  // The number of a row's class. Throws DataError where it is none of these.
  std::size_t of(const CsvTable& table, const CsvRow& row, std::size_t column) const;

  std::vector<std::string> names() const;

  // "labels 1, 2, 3 are classes 0 to 2"; empty where they are called as they are numbered.
  std::string mapping() const;

 private:
  std::vector<double> numbers_;     // these,
  std::vector<std::string> names_;  // or these, in order
};

}  // namespace lockstep::data
