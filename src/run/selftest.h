// Does this program, on this machine, give the weights that are published for short runs?
#pragma once

#include <string>
#include <vector>

#include "run/job.h"

namespace lockstep::run {

struct SelftestArguments {
  std::vector<std::string> names;  // of the runs; empty: all
  std::string hashes;              // a list to compare with; empty: the one that is compiled in
  bool whole = false;              // train to the end; else the first 20 steps
  std::string write;               // where to write the list with this program's hashes; empty: compare
};

// Returns whether every run has the weights of the list, with every kernel set. Runs whose data is not at
// hand are left out, and said to be. Throws CollectiveError. Collective.
bool selftest(Job& job, const SelftestArguments& arguments);

}  // namespace lockstep::run
