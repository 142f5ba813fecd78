// A real training step, recorded: every array that it computes, as the trainer has it.
#pragma once

#include "train/step_in_double.h"
#include "train/trainer.h"

namespace lockstep::train {

struct StepTrace {
  StepStart start;
  StepArrays arrays;  // of float32, but for the L2 term's part; running statistics have no gradient here
};

// What the trainer's steps compute by. The trainer must outlive it.
StepRules rules_of(const Trainer& trainer);

// Makes the trainer's next step and records it. Requires: a single rank. Throws like Trainer::step.
StepTrace trace_step(Trainer& trainer);

// How far a kind of arrays is from double precision, each array computed in double from the recorded ones
// before it.
struct Deviation {
  const char* kind;        // such as "outputs"
  double largest = 0.0;    // of an element, relative to the largest term of its array's sums
  std::string where = {};  // the array that has it
};

// What float32 explains: a relative error of 2^-24 in each of many terms.
inline constexpr double kRounding = 1e-4;

// Of each kind, in the order of the computation. Requires: expected = step_in_double(rules, trace.start,
// &trace.arrays).
std::vector<Deviation> deviations(const StepRules& rules, const StepTrace& trace, const StepArrays& expected);

}  // namespace lockstep::train
