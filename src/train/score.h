// How well a network does on a set of samples.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "comm/communicator.h"
#include "kernels/loss.h"
#include "nn/model.h"

namespace lockstep::train {

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

// 0.5 l2 sum W^2 over the model's weights (biases do not count): what the L2 penalty adds to the loss.
double l2_loss(const nn::Model& model, std::span<const float> arena, double l2, int threads);

// Sums of all ranks, in integers: the same at any number of ranks. The constructor begins the sum, get() ends
// it.
class AllRanksLossSums {
 public:
  AllRanksLossSums(const kernels::LossSums& own, const comm::Communicator& communicator)
      : words_{own.loss.whole, own.loss.fraction, own.loss.invalid, own.correct, own.samples},
        request_(communicator.start_allreduce_sum(words_)) {}
  AllRanksLossSums(const AllRanksLossSums&) = delete;
  AllRanksLossSums& operator=(const AllRanksLossSums&) = delete;

  kernels::LossSums get() {
    request_.wait();
    return {{words_[0], words_[1], words_[2]}, words_[3], words_[4]};
  }

 private:
  std::int64_t words_[5];
  comm::Request request_;
};

}  // namespace lockstep::train
