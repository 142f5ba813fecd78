// reduce.mode = "float": float32 sums, whose last bits depend on how the batch is spread over ranks.
#pragma once

#include <vector>

#include "base/aligned_buffer.h"
#include "base/error.h"
#include "reduce/bucketed_sum.h"
#include "reduce/reducer.h"

namespace lockstep::reduce {

class FloatReducer final : public Reducer {
 public:
  FloatReducer(const ReduceOptions& options, const nn::Model& model, const comm::Communicator& communicator,
               int threads);

  void start_pass(std::span<const std::size_t>) override {}
  void add(const nn::GradientTerms& terms) override;
  void last_pass() override { last_pass_ = true; }
  void complete() override;
  Outcome finalize() override;
  std::span<const float> part(std::size_t, std::size_t begin, std::span<float> scratch) const override {
    return sum_.sum().subspan(begin, scratch.size());
  }
  std::vector<std::int32_t> state() const override { return {}; }
  void restore(std::span<const std::int32_t> state) override {
    require(state.empty(), "FloatReducer: has no state");
  }
  bool overlaps() const override { return sum_.overlaps(); }
  std::size_t bytes() const override { return sum_.bytes(); }

 private:
  int threads_;
  BucketedSum<float> sum_;     // laid out like the parameter arena
  std::vector<bool> touched_;  // per tensor: has this step's sum begun?
  bool last_pass_ = false, complete_ = false;
};

}  // namespace lockstep::reduce
