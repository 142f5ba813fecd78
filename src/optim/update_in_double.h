// A step of an optimizer in double, in plain loops: what a training step's update is checked against. The
// formulas are optimizer.h's.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "optim/optimizer.h"

namespace lockstep::optim {

// One tensor's part of the optimizer's state, by name.
using TensorState = std::map<std::string, std::vector<double>>;

// The two halves of a step of one tensor with weights w, as they were, and a gradient without l2 and
// weight_decay; all have as many numbers. The state as it is after the step:
TensorState next_state_in_double(const OptimizerOptions& options, const Optimizer::Part& part,
                                 std::span<const double> gradient, std::span<const double> w,
                                 TensorState state);
// And the weights after it, given that state.
std::vector<double> next_weights_in_double(const OptimizerOptions& options, const Optimizer::Part& part,
                                           std::span<const double> gradient, std::span<const double> w,
                                           const TensorState& next_state);

}  // namespace lockstep::optim
