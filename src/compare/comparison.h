// Another program's step, held against the reference: which arrays are wrong, which is the first, and why.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compare/difference.h"
#include "compare/student_arrays.h"
#include "train/step_layout.h"

namespace lockstep::compare {

enum class Status {
  kAgrees,
  kRounding,    // it agrees as float32 does, though the file has it in float64
  kConvention,  // it means something else, and what the step leads to is right
  kFollows,     // it is right given earlier arrays of the file, of which one is wrong
  kWrong
};
std::string_view name(Status status);

struct Cause {
  std::string id;        // such as "l2-missing"
  std::string sentence;  // for people
  std::string array;     // that it is about: the wrong one, or one that the file does not have
};

struct ComparedArray {
  std::size_t place = 0;  // in the layout's arrays
  std::string name;       // as the file has it
  Status status = Status::kAgrees;
  // The largest difference from what is expected, relative to the array's largest number, and what is
  // accepted.
  double error = 0.0, tolerance = 0.0;
  std::vector<Cause> causes;             // of kWrong and kConvention, the likeliest first
  std::optional<Difference> difference;  // of kWrong
  // No cause was found before the search for one had taken the work that it may take.
  bool search_cut = false;
};

struct Comparison {
  std::vector<ComparedArray> arrays;  // in the order of the computation
  // Its place in arrays; none: all agree.
  std::optional<std::size_t> first_wrong;
};

// Multiply-adds in double: half a minute at most.
inline constexpr double kMaxWork = 0x1p35;

// tolerance: of the relative error; none: what the type of each array rounds to. Each array is compared with
// the step in double precision, and with what follows from the file's earlier arrays. max_work: of all steps
// that are computed to find causes in arrays that the file does not have. Throws ShapeError where the arrays
// are not the layout's.
Comparison compare(const train::StepLayout& layout, const train::StepStart& start,
                   const StudentArrays& student, std::optional<double> tolerance, double max_work = kMaxWork);

}  // namespace lockstep::compare
