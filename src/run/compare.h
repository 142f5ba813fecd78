// Another program's step, a student's, against this one's: the first array that is wrong, and why.
#pragma once

#include <optional>
#include <string>

#include "run/job.h"
#include "run/recorded_step.h"

namespace lockstep::run {

struct CompareArguments {
  StepChoice choice;                // whose config is empty where --against has it
  std::string mine;                 // .npz
  std::string against;              // a file of trace-step to take the step from; empty: it is computed
  bool json = false;                // print an object instead of a table
  std::optional<double> tolerance;  // of the relative error; none: what the arrays' types round to
};

// Returns whether all arrays agree. Throws CollectiveError, of DataError where a file is wrong.
bool compare(Job& job, const CompareArguments& arguments);

}  // namespace lockstep::run
