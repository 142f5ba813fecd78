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

}  // namespace lockstep::train
