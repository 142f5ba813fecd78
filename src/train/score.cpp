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

RankSums sum_over_ranks(const RankSums& own, const comm::Communicator& communicator) {
  const auto& [loss, correct, samples] = own.losses;
  std::int64_t sums[] = {loss.whole, loss.fraction,       loss.invalid,          correct,
                         samples,    own.stop.interrupts, own.stop.terminations, own.stop.timeouts};
  communicator.allreduce_sum(sums);
  return {{{sums[0], sums[1], sums[2]}, sums[3], sums[4]}, {sums[5], sums[6], sums[7]}};
}

}  // namespace lockstep::train
