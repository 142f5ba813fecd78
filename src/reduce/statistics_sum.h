// Sums of what layers find in each micro-batch, such as batch norm's means: of the tensors that have no
// gradient.
//
// They are few, and their channels may differ by many orders of magnitude, which the one scale of a
// gradient's tensor would not hold: so they are fixed-point sums of 128 bits (base/fixed_sum.h), the same at
// any number of ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/fixed_sum.h"
#include "nn/gradient_sink.h"
#include "nn/model.h"

namespace lockstep::reduce {

class StatisticsSum {
 public:
  // The model must outlive it.
  explicit StatisticsSum(const nn::Model& model);

  // Terms of a tensor without gradient: a row per micro-batch.
  void add(const nn::GradientTerms& terms);
  // What was added since the last take(), as so many integers that ranks can add up; and their sums.
  std::size_t words() const { return kWords * local_.size(); }
  void append_to(std::vector<std::int64_t>& words) const;
  void take(std::span<const std::int64_t> words);
  // The sum's elements [begin, begin + count) of the arena, which lie in `tensor`; NaN where a value was
  // beyond FixedSum::kLimit. Valid until the next take().
  std::span<const float> read(std::size_t tensor, std::size_t begin, std::size_t count) const;

 private:
  static constexpr std::size_t kWords = 3;  // of a FixedSum

  const nn::Model* model_;
  std::vector<std::size_t> places_;  // per tensor: of its first element below
  std::vector<FixedSum> local_;
  std::vector<float> sum_;
};

}  // namespace lockstep::reduce
