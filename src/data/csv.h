// Samples from a CSV file: rows of numbers, one column of which is the target. RFC 4180, read by libcsv.
//
// header = auto: the first row is a header if no cell of it is a finite number. Blank lines are skipped. A
// line break in a cell counts as a space.
//
// Classification: the target column holds whole numbers, or names throughout; the distinct ones, in order,
// become classes 0, 1, ... Regression: it holds numbers.
#pragma once

#include <span>

#include "data/dataset.h"

namespace lockstep::data {

class Csv final : public Dataset {
 public:
  // Reads options.file, whose rows are training samples, and options.test_file, if any, whose columns and
  // classes must be the same. Throws DataError, which names file, line and column: where a file cannot be
  // read or has no rows, a row has another number of cells than the first, a feature is no finite number or
  // of a magnitude that nothing can be computed of, a target is none either or of a class that the training
  // file has not, or all targets are of one class. Throws ConfigError where no file is named or it has no
  // such target column.
  // trained, files(): see open_dataset and Dataset.
  explicit Csv(const DataOptions& options, const DatasetInfo* trained = nullptr);

  DatasetInfo info() const override { return info_; }
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;
  std::vector<FileHash> files() const override { return files_; }

 private:
  DatasetInfo info_;
  std::vector<FileHash> files_;
  SampleStore train_, test_;
};

}  // namespace lockstep::data
