// Is the backward pass the derivative of the forward pass?
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/run_config.h"
#include "run/job.h"

namespace lockstep::run {

struct GradcheckArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::size_t samples = 16;   // about so many in the batch
  std::size_t elements = 30;  // of each tensor
  double tolerance = 1e-4;    // of the relative error
};

// A batch of about `samples` in the configuration's shards, and no more than it has; where there is batch
// norm at least four in each, which may differ, and so many that no step has a single one.
std::size_t small_batch(config::RunConfig run, std::size_t samples);

// Returns whether the backward pass agrees with central differences. Throws CollectiveError. Collective.
bool gradcheck(Job& job, const GradcheckArguments& arguments);

}  // namespace lockstep::run
