// How well a network does on a set of samples.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "comm/communicator.h"
#include "kernels/loss.h"
#include "nn/model.h"

namespace lockstep::train {

// Losses and errors are in the units of the data set's targets: where values are trained on as
// (v - mean) / stddev, squared errors, with the L2 term beside them, are multiplied by stddev^2.
struct Score {
  double loss = 0.0;         // mean over the samples, the L2 term included; NaN without samples
  std::int64_t correct = 0;  // samples whose predicted class is their target
  std::int64_t samples = 0;
  double largest_error = 0.0;  // |output - target|, of a network with a single output
  // NaN without samples.
  double accuracy() const {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();  // 0/0 may have a sign
    return samples == 0 ? kNone : static_cast<double>(correct) / static_cast<double>(samples);
  }
};

// 0.5 l2 sum_t f_t sum W_t^2 over the model's tensors t with their weight_decay_factor f_t, which is 0 for
// biases: what the L2 penalty adds to the loss.
double l2_loss(const nn::Model& model, std::span<const float> arena, double l2, int threads);

// Why training should stop after this step: how many ranks say so.
struct StopRequests {
  std::int64_t interrupts = 0;    // by SIGINT
  std::int64_t terminations = 0;  // by SIGTERM or SIGUSR1
  std::int64_t timeouts = 0;      // train.max_seconds are over
  bool any() const { return interrupts + terminations + timeouts > 0; }
};

// Sums of all ranks, in integers: the same at any number of ranks. The constructor is collective.
class AllRanksLossSums {
 public:
  AllRanksLossSums(const kernels::LossSums& own, const comm::Communicator& communicator,
                   const StopRequests& stop = {})
      : words_{own.loss.whole, own.loss.fraction, own.loss.invalid,  own.correct,
               own.samples,    stop.interrupts,   stop.terminations, stop.timeouts} {
    communicator.allreduce_sum(words_);
  }

  kernels::LossSums sums() const { return {{words_[0], words_[1], words_[2]}, words_[3], words_[4]}; }
  StopRequests stop_requests() const { return {words_[5], words_[6], words_[7]}; }

 private:
  std::int64_t words_[8];
};

}  // namespace lockstep::train
