// Which columns of a CSV file become which features, and how: chosen from the training file and the options,
// fitted to the training samples, and applied alike to every other file of such columns.
//
//   a column of numbers      one feature, the number
//   a column of categories   a feature for each category of the training samples, 1 for a row's own, else 0
//   a missing cell           with data.missing = "mean" each feature takes its mean over the training samples
//                            that have one: the mean number, or each category's part of the samples
//
// A column holds categories if none of its cells is a number, or data.categories names it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/csv_table.h"
#include "data/options.h"

namespace lockstep::data {

struct CsvColumn {
  std::string name;       // as the header has it, else its number from 1 on
  std::size_t place = 0;  // in the training file, from 0
  bool categorical = false;
  std::vector<std::string> categories = {};  // in order; none in a column of numbers
  std::vector<double> means = {};            // one for each feature

  std::size_t features() const { return categorical ? categories.size() : 1; }
};

struct CsvColumns {
  std::string file;       // the training file
  bool named = false;     // it has a header
  std::size_t width = 0;  // its columns, whether in use or not
  std::vector<CsvColumn> features;
  CsvColumn target;
  std::vector<std::string> classes = {};          // by number; empty: the target is a value v, and
  double target_mean = 0.0, target_stddev = 1.0;  // what is trained on is (v - mean) / stddev
  bool target_scaled = false;                     // where data.target_scale asked for these two

  // Of the features' columns, as a header has them; none without a header.
  std::vector<std::string> names() const;
  bool has_numbers() const;  // some column of features holds numbers

  // "width", and "colour=red" of a column of categories; none where the file names no columns and all hold
  // numbers.
  std::vector<std::string> feature_names() const;
  std::size_t feature_count() const;
};

// The columns that the options choose from a training file; not fitted yet. Throws ConfigError where they
// name columns that are not there, or none is left; DataError where a column's texts are neither numbers nor
// categories that recur, or the first row may be a header that was taken for a sample (data.header = "auto").
CsvColumns choose_columns(const CsvTable& table, const DataOptions& options);

// Throws ConfigError where a key that says something of the columns asks for others than those that a network
// was trained on: the target, the features, which of them are categories, the scale of the target.
void expect_choice(const CsvColumns& fitted, const DataOptions& options);

// Where the columns in use are in another file. By name where both files have a header, else by place.
struct CsvPlaces {
  std::vector<std::size_t> features;
  std::size_t target = 0;
};
// Throws DataError where a column is missing; the target's only if it is `labelled`.
CsvPlaces places_in(const CsvTable& table, const CsvColumns& columns, bool labelled);

}  // namespace lockstep::data
