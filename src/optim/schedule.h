// The learning rate as a function of the step.
//
// With warm-up, the first W = warmup_epochs * steps_per_epoch steps rise linearly: rate (t+1) / W. After it
//   constant  rate
//   step      rate * step_factor^k                        k = floor(epoch / step_epochs)
//   cosine    final + (rate - final) (1 + cos(pi u)) / 2  u from 0 after the warm-up to 1 at the end
//
// triangular rises by a line of its own, which begins at `initial`, and ends at `final`. Of T steps in all:
//   initial + (rate - initial) t / W              t < W
//   rate + (final - rate) (t - W) / (T - 1 - W)   after it: final at the last step, t = T - 1
//
// Sources: Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5 (cosine); Smith and Topin, Super-Convergence, 2017
// (triangular; torch.optim.lr_scheduler.OneCycleLR has it with anneal_strategy = "linear").
#pragma once

#include <cstddef>

namespace lockstep::optim {

struct ScheduleOptions {
  enum class Kind { kConstant, kStep, kCosine, kTriangular } kind = Kind::kConstant;
  double warmup_epochs = 0.0;
  std::size_t step_epochs = 10;        // of kStep
  double step_factor = 0.1;            // of kStep
  double initial_learning_rate = 0.0;  // of kTriangular
  double final_learning_rate = 0.0;    // of kCosine and kTriangular
};

class Schedule {
 public:
  Schedule(const ScheduleOptions& options, double learning_rate, std::size_t epochs,
           std::size_t steps_per_epoch);

  // At step `step` (0, 1, ... over the whole run).
  double learning_rate(std::size_t step) const;

 private:
  double triangular(double t) const;

  ScheduleOptions options_;
  double learning_rate_;
  std::size_t steps_per_epoch_;
  double warmup_steps_, all_steps_;
};

}  // namespace lockstep::optim
