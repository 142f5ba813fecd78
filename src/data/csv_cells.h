// What a CSV file holds in the columns in use: read once, then fitted to, and made into features.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/csv_classes.h"
#include "data/csv_columns.h"
#include "data/dataset.h"

namespace lockstep::data {

// The texts of a column of categories, by number in the order in which they were met.
class CsvTexts {
 public:
  std::size_t number(const std::string& text);
  const std::string& text(std::size_t number) const { return texts_[number]; }
  std::size_t size() const { return texts_.size(); }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

struct CsvCells {
  std::string file;
  std::size_t width = 0;                  // columns in use, the target left out
  std::vector<double> values;             // (n, width): a number, or a text's; NaN where it is missing
  std::vector<double> targets;            // (n): a class's number, or a value as the file has it
  std::vector<std::uint32_t> lines;       // (n): where the row is in the file, from 1
  std::vector<std::uint32_t> rows;        // (n): its number among the file's rows, from 1
  std::vector<std::size_t> missing = {};  // (width): missing cells of each column, in rows that are kept
  std::size_t dropped = 0;                // rows that data.missing = "drop" left out

  std::size_t size() const { return lines.size(); }
};

// Reads the columns of a table. texts: one for each column in use; what is met is added. classes: null where
// the targets are values. labelled: false where the file has no targets; they are 0. Throws DataError, which
// names file, line and column, where a cell is not a number that can be computed with, a class that there is
// not, or missing and that is not allowed.
CsvCells read_cells(const CsvTable& table, const CsvColumns& columns, const CsvPlaces& places,
                    const CsvClasses* classes, bool labelled, const DataOptions& options,
                    std::vector<CsvTexts>& texts);

// Fits the columns to the training samples: categories, means, and with data.target_scale the target's mean
// and standard deviation. Sums are in the order of the samples, which all ranks have. Throws DataError where
// a column has nothing but missing cells, or reaches no number that float32 can hold once normalised.
void fit(CsvColumns& columns, const CsvCells& cells, std::span<const std::uint32_t> training,
         const std::vector<CsvTexts>& texts, const DataOptions& options);

// Makes rows of cells into features.
class CsvEncoder {
 public:
  // columns: fitted. texts: those of the cells. Both must outlive it.
  CsvEncoder(const CsvColumns& columns, const std::vector<CsvTexts>& texts);

  // Throws DataError, which names line and column, where a category of these samples is none of the training
  // samples'.
  void expect_known(const CsvCells& cells, std::span<const std::uint32_t> samples) const;

  // These samples, in this order. A category that is not known has 0 in each of its column's features.
  SampleStore encode(const CsvCells& cells, std::span<const std::uint32_t> samples) const;

 private:
  void encode_row(const CsvCells& cells, std::size_t row, std::span<double> features) const;

  const CsvColumns* columns_;
  const std::vector<CsvTexts>* texts_;
  std::vector<std::vector<std::size_t>> category_;  // for each column, of each text; kNone: none
};

}  // namespace lockstep::data
