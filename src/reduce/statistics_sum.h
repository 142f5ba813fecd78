// Sums of what layers find in each micro-batch, such as batch norm's means: of the tensors that have no
// gradient.
//
// They are few, and their channels may differ by many orders of magnitude, which the one scale of a
// gradient's tensor would not hold: so they are fixed-point sums of 128 bits (base/fixed_sum.h), the same at
// any number of ranks.
#pragma once

#include <span>
#include <vector>

#include "base/fixed_sum.h"
#include "comm/communicator.h"
#include "nn/gradient_sink.h"
#include "nn/model.h"

namespace lockstep::reduce {

class StatisticsSum {
 public:
  // Both must outlive it.
  StatisticsSum(const nn::Model& model, const comm::Communicator& communicator);

  // Terms of a tensor without gradient: a row per micro-batch.
  void add(const nn::GradientTerms& terms);
  // Sums over the ranks what was added since the last finish(). Collective.
  void finish();
  // The sum's elements [begin, begin + count) of the arena, which lie in `tensor`; NaN where a value was
  // beyond FixedSum::kLimit. Valid until the next finish().
  std::span<const float> read(std::size_t tensor, std::size_t begin, std::size_t count) const;

 private:
  const nn::Model* model_;
  const comm::Communicator* communicator_;
  std::vector<std::size_t> places_;  // per tensor: of its first element below
  std::vector<FixedSum> local_;
  std::vector<float> sum_;
};

}  // namespace lockstep::reduce
