// What a student hands in of a run, and whether it is what it says.
#pragma once

#include <string>
#include <vector>

#include "run/job.h"

namespace lockstep::run {

struct ReceiptArguments {
  std::string run;
  bool rerun = false;                  // train again, and compare
  std::vector<std::string> overrides;  // of the training: who computes, where the data are
  std::string against;                 // a receipt to compare with; empty: none
  bool json = false;
};

// Prints what the run is, what of it was compared, and its receipt. Throws CollectiveError, of exit code 4,
// after that where something does not hold. Collective.
void receipt(Job& job, const ReceiptArguments& arguments);

}  // namespace lockstep::run
