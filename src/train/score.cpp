#include "train/score.h"

#include "kernels/arrays.h"

namespace lockstep::train {

double l2_loss(const nn::Model& model, std::span<const float> arena, double l2, int threads) {
  if (l2 == 0.0) return 0.0;
  double sum = 0.0;
  for (const nn::Tensor& tensor : model.tensors())
    if (tensor.weight_decay_factor != 0.0)
      sum += tensor.weight_decay_factor * kernels::sum_of_squares(tensor.slice(arena), threads);
  return 0.5 * l2 * sum;
}

std::array<std::int64_t, kRankSums> to_integers(const RankSums& sums) {
  const auto& [loss, correct, samples] = sums.losses;
  return {loss.whole, loss.fraction,        loss.invalid,           correct,
          samples,    sums.stop.interrupts, sums.stop.terminations, sums.stop.timeouts};
}

RankSums from_integers(std::span<const std::int64_t, kRankSums> x) {
  return {{{x[0], x[1], x[2]}, x[3], x[4]}, {x[5], x[6], x[7]}};
}

RankSums sum_over_ranks(const RankSums& own, const comm::Communicator& communicator) {
  auto sums = to_integers(own);
  communicator.allreduce_sum(sums);
  return from_integers(sums);
}

}  // namespace lockstep::train
