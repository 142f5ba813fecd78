// Samples from a CSV file: rows of numbers and categories, one column of which is the target. csv_table.h
// says how a file is read, csv_columns.h how its columns become features.
//
// Classification: the target column holds whole numbers, or names throughout; the distinct ones, in order,
// become classes 0, 1, ... Regression: it holds numbers.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "data/csv_cells.h"
#include "data/dataset.h"
#include "data/division.h"

namespace lockstep::data {

class Csv final : public Dataset {
 public:
  // Reads options.file, and options.test_file, if any, in which the columns in use and the classes must be
  // the same; divides the samples as the options ask, and fits categories, means and the target's scale to
  // the training samples in use. Throws DataError, which names file, line and column: where a file cannot be
  // read or has no rows, a row has another number of cells than the first, a feature is neither a finite
  // number nor a category, a target is none either or of a class that the training file has not, or all
  // targets are of one class. Throws ConfigError where no file is named, it has no such columns, or the
  // samples cannot be divided so.
  // trained: of the data that a network was trained on, if these are for such a network; then columns become
  // features, and texts classes, as they did there, and options.test_file may be the only file.
  explicit Csv(const DataOptions& options, const DatasetInfo* trained = nullptr);

  DatasetInfo info() const override { return info_; }
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;
  std::vector<std::uint32_t> file_rows(Split split, std::span<const std::uint32_t> samples) const override;
  std::vector<FileHash> files() const override { return files_; }

 private:
  const Selection& selection(Split split) const {
    return split == Split::kTrain ? division_.train : division_.test;
  }
  const CsvCells& cells(const Selection& selection) const {
    return selection.split == Split::kTrain ? train_file_ : test_file_;
  }
  std::vector<std::uint32_t> places(Split split, std::span<const std::uint32_t> samples) const;

  DatasetInfo info_;
  std::vector<FileHash> files_;
  std::shared_ptr<const CsvColumns> columns_;
  std::vector<CsvTexts> texts_;  // of each column in use
  CsvCells train_file_, test_file_;
  Division division_;
};

// Samples without targets, from another file.
struct UnlabelledSamples {
  SampleStore store;                     // targets are 0
  std::vector<std::uint32_t> file_rows;  // the number of each in the file, from 1
};
// Part `rank` of `world` of a CSV file's samples, whose columns become features as they were fitted; of the
// options it takes the header, missing cells and unseen categories. The file needs no target column. Throws
// DataError as Csv does, the same for each part.
UnlabelledSamples read_unlabelled(const std::filesystem::path& file, const CsvColumns& columns,
                                  const DataOptions& options, int rank, int world);

}  // namespace lockstep::data
