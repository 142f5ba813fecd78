// The arrays of another program's step, as its file has them, brought to the names and shapes of a layout.
#pragma once

#include <string>
#include <vector>

#include "npz/npz.h"
#include "train/step_layout.h"

namespace lockstep::compare {

struct StudentArray {
  std::size_t place = 0;       // in the layout's arrays
  std::string name;            // as the file has it
  std::vector<double> values;  // as the layout shapes it
  double digits = 0.0;         // the relative rounding error of its type: 2^-24 of float32
  bool exact = false;          // of double precision
  // It fits transposed alone, where others of the file fit as they are.
  bool lies_transposed = false;
};

struct StudentArrays {
  std::vector<StudentArray> arrays;      // in the order of the layout, each once
  std::vector<std::string> conventions;  // that the file follows throughout, in sentences: no mistakes
};

// Of all the file has; a step's file of our own may have its README and so on. Names may be the layout's or
// its aliases. Lengths of 1 may be added and left out, images may be rows, and classes one-hot. Where all
// weights of the file, or all arrays that have a row for each sample, fit transposed alone, they are
// transposed; also where their shapes don't tell, but the parameters' or inputs' numbers are those of `start`
// transposed. Throws DataError, which names the file and the array, on an unknown name (and suggests the
// nearest), on one that is there twice, on shapes that do not fit, on integers where numbers are expected, on
// numbers that are not finite, and where there is nothing to compare.
StudentArrays student_arrays(const std::string& path, npz::NpzFile& file, const train::StepLayout& layout,
                             const train::StepStart& start);

}  // namespace lockstep::compare
