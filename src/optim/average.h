// An exponential moving average a of the parameters w, after each step
//   a <- w                        after the first
//   a <- a + (1 - decay) (w - a)  after every other
// as torch.optim.swa_utils.AveragedModel has it with get_ema_multi_avg_fn(decay). All of the arena is
// averaged, running statistics too (which use_buffers = True does there). Source: Polyak and Juditsky,
// "Acceleration of stochastic approximation by averaging", 1992.
#pragma once

#include <span>

#include "base/aligned_buffer.h"

namespace lockstep::optim {

class Average {
 public:
  // 0 <= decay < 1; 0: nothing is averaged or kept. It begins with these parameters.
  Average(double decay, std::span<const float> parameters);

  bool is_kept() const { return decay_ != 0.0; }
  std::span<const float> values() const { return values_.span(); }

  // Takes the parameters from number `first` on as they are after a step. Concurrent calls on others are
  // safe.
  void follow(std::span<const float> parameters, std::size_t first, bool first_step);

  // Goes on from these values. Throws ModelError unless there are as many.
  void restore(std::span<const float> values);

  std::size_t bytes() const { return values_.size() * sizeof(float); }

 private:
  double decay_;
  AlignedBuffer<float> values_;
};

}  // namespace lockstep::optim
