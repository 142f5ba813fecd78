#include "optim/schedule.h"

#include <algorithm>

#include "base/elementary.h"

namespace lockstep::optim {

Schedule::Schedule(const ScheduleOptions& options, double learning_rate, std::size_t epochs,
                   std::size_t steps_per_epoch)
    : options_(options),
      learning_rate_(learning_rate),
      steps_per_epoch_(steps_per_epoch),
      warmup_steps_(options.warmup_epochs * static_cast<double>(steps_per_epoch)),
      all_steps_(static_cast<double>(epochs * steps_per_epoch)) {}

double Schedule::learning_rate(std::size_t step) const {
  const auto t = static_cast<double>(step);
  if (options_.kind == ScheduleOptions::Kind::kTriangular) return triangular(t);
  if (t + 1.0 <= warmup_steps_) return learning_rate_ * (t + 1.0) / warmup_steps_;
  switch (options_.kind) {
    case ScheduleOptions::Kind::kConstant:
      return learning_rate_;
    case ScheduleOptions::Kind::kStep: {
      double rate = learning_rate_;
      for (std::size_t k = step / steps_per_epoch_ / options_.step_epochs; k > 0; --k)
        rate *= options_.step_factor;
      return rate;
    }
    case ScheduleOptions::Kind::kCosine: {
      const double u = std::min(1.0, (t - warmup_steps_) / std::max(1.0, all_steps_ - warmup_steps_));
      const double low = options_.final_learning_rate;
      return low + (learning_rate_ - low) * 0.5 * (1.0 + stable_cos_turns(0.5 * std::max(0.0, u)));
    }
    case ScheduleOptions::Kind::kTriangular:
      break;
  }
  return learning_rate_;
}

double Schedule::triangular(double t) const {
  const double initial = options_.initial_learning_rate, final = options_.final_learning_rate;
  if (t < warmup_steps_) return initial + (learning_rate_ - initial) * (t / warmup_steps_);
  const double falling = all_steps_ - 1.0 - warmup_steps_;
  const double u = falling > 0.0 ? std::min(1.0, (t - warmup_steps_) / falling) : 0.0;
  return u < 1.0 ? learning_rate_ + (final - learning_rate_) * u : final;
}

}  // namespace lockstep::optim
