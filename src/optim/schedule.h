// The learning rate as a function of the step.
//
// With warm-up, the first W = warmup_epochs * steps_per_epoch steps rise linearly: rate (t+1) / W. After it
//   constant  rate
//   step      rate * step_factor^k                        k = floor(epoch / step_epochs)
//   cosine    final + (rate - final) (1 + cos(pi u)) / 2  u from 0 after the warm-up to 1 at the end of
//   training
// Source of the cosine: Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5.
#pragma once

#include <cstddef>

namespace lockstep::optim {

struct ScheduleOptions {
  enum class Kind { kConstant, kStep, kCosine } kind = Kind::kConstant;
  double warmup_epochs = 0.0;
  std::size_t step_epochs = 10;      // of kStep
  double step_factor = 0.1;          // of kStep
  double final_learning_rate = 0.0;  // of kCosine
};

class Schedule {
 public:
  Schedule(const ScheduleOptions& options, double learning_rate, std::size_t epochs,
           std::size_t steps_per_epoch);

  // At step `step` (0, 1, ... over the whole run).
  double learning_rate(std::size_t step) const;

 private:
  ScheduleOptions options_;
  double learning_rate_;
  std::size_t steps_per_epoch_;
  double warmup_steps_, all_steps_;
};

}  // namespace lockstep::optim
