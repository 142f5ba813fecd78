// Is this run, on these ranks and threads, the run of one process on one thread?
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "run/job.h"

namespace lockstep::run {

struct VerifyArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::size_t steps = 20;
  std::optional<double> tolerance;  // of the relative drift, with reduce.mode = "float"; none: 0
};

// Returns whether the run on all ranks is that of one process. Throws CollectiveError. Collective.
bool verify(Job& job, const VerifyArguments& arguments);

}  // namespace lockstep::run
