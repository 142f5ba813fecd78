// The checks that experienced people make before they train: is the data what one thinks, does the network
// begin where it should, and does it learn what it can and nothing that it cannot?
#pragma once

#include <string>
#include <vector>

#include "run/job.h"

namespace lockstep::run {

struct SanityArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string out;          // a folder for sanity.json and, of images, sanity.ppm; empty: none
  double tolerance = 1e-4;  // of the gradient's relative error
  bool json = false;
};

// Prints a line for each check. Returns whether all hold. Throws CollectiveError. For a single process.
bool sanity(Job& job, const SanityArguments& arguments);

}  // namespace lockstep::run
