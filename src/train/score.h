// How well a network does on a set of samples.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "comm/communicator.h"
#include "kernels/loss.h"
#include "nn/model.h"
#include "train/stop_requests.h"

namespace lockstep::train {

// With more than 10 classes it also counts how often the right one is among the five with the largest
// outputs. Source: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge" (2015), 4.1.
inline bool counts_top5(std::size_t classes) { return classes > 10; }

// Losses and errors are in the units of the data set's targets: where values are trained on as
// (v - mean) / stddev, squared errors, with the L2 term beside them, are multiplied by stddev^2.
struct Score {
  double loss = 0.0;         // mean over the samples, the L2 term included; NaN without samples
  std::int64_t correct = 0;  // samples whose predicted class is their target
  std::int64_t samples = 0;
  double largest_error = 0.0;   // |output - target|, of a network with a single output
  std::int64_t in_first_5 = 0;  // samples whose class is among the first five, where counts_top5
  // NaN without samples.
  double accuracy() const { return part(correct); }
  double top5_accuracy() const { return part(in_first_5); }

 private:
  double part(std::int64_t count) const {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();  // 0/0 may have a sign
    return samples == 0 ? kNone : static_cast<double>(count) / static_cast<double>(samples);
  }
};

// 0.5 l2 sum_t f_t sum W_t^2 over the model's tensors t with their weight_decay_factor f_t, which is 0 for
// biases: what the L2 penalty adds to the loss.
double l2_loss(const nn::Model& model, std::span<const float> arena, double l2, int threads);

// What the ranks tell one another in a step: how their parts of the batch went, and whether to stop. All of
// it is integers, the same at any number of ranks.
struct RankSums {
  kernels::LossSums losses;
  StopRequests stop;
};

// The same as integers that ranks can add up, and back.
inline constexpr std::size_t kRankSums = 8;
std::array<std::int64_t, kRankSums> to_integers(const RankSums& sums);
RankSums from_integers(std::span<const std::int64_t, kRankSums> integers);

// The sums over the ranks. Collective.
RankSums sum_over_ranks(const RankSums& own, const comm::Communicator& communicator);

}  // namespace lockstep::train
