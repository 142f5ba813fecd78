// reduce.mode = "float": float32 sums, whose last bits depend on how the batch is spread over ranks.
#pragma once

#include <vector>

#include "base/aligned_buffer.h"
#include "base/error.h"
#include "reduce/reducer.h"

namespace lockstep::reduce {

class FloatReducer final : public Reducer {
 public:
  FloatReducer(const nn::Model& model, const comm::Communicator& communicator, int threads);

  void start_pass(std::span<const std::size_t>) override {}
  void add(const nn::GradientTerms& terms) override;
  Outcome finalize() override;
  std::span<const float> gradient() const override { return gradient_.span(); }
  std::vector<std::int32_t> state() const override { return {}; }
  void restore(std::span<const std::int32_t> state) override {
    require(state.empty(), "FloatReducer: has no state");
  }
  std::size_t bytes() const override { return gradient_.size() * sizeof(float); }

 private:
  const nn::Model* model_;
  const comm::Communicator* communicator_;
  int threads_;
  AlignedBuffer<float> gradient_;  // laid out like the parameter arena
  std::vector<bool> touched_;      // per tensor: has this step's sum begun?
};

}  // namespace lockstep::reduce
