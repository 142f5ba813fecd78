// reduce.mode = "float": float32 sums, whose last bits depend on how the batch is spread over ranks.
#pragma once

#include <memory>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/error.h"
#include "kernels/gemm.h"
#include "reduce/gradient_sum.h"
#include "reduce/reducer.h"

namespace lockstep::reduce {

class FloatReducer final : public Reducer {
 public:
  FloatReducer(const ReduceOptions& options, const nn::Model& model, const comm::Communicator& communicator,
               int threads, liveness::Progress* progress);

  void begin_pass(std::span<const std::size_t> block_rows, bool last) override;
  void add(const nn::GradientTerms& terms) override;
  void add_up(std::span<std::int64_t> beside) override;
  Outcome finish() override;
  std::span<const float> read(std::size_t tensor, std::size_t begin,
                              std::span<float> scratch) const override {
    if (!has_gradient(tensor)) return statistics_.read(tensor, begin, scratch.size());
    return sum_->read(begin, scratch);
  }
  void gather(std::span<float> arena) const override { sum_->gather(arena); }
  void begin_gather(std::span<float> arena) override { sum_->begin_gather(arena); }
  std::size_t wait_for(std::span<const float> parameters, std::size_t least) override {
    return sum_->wait_for(parameters, least);
  }
  void give_up() override { sum_->give_up(); }
  std::vector<std::int32_t> state() const override { return {}; }
  void restore(std::span<const std::int32_t> state) override {
    require(state.empty(), "FloatReducer: has no state");
  }
  std::size_t bytes() const override { return sum_->bytes(); }

 private:
  // Adds a weight's gradient, dW (out,in) = dyᵀ (out,B) x (B,in), to the sum from `offset` on, its last rows
  // first.
  void add_product(const nn::GradientTerms& terms, std::size_t offset, std::span<float> sum);

  bool own_part_is_finite() const;

  const comm::Communicator* communicator_;
  int threads_;
  std::unique_ptr<GradientSum<float>> sum_;
  kernels::Store store_ = kernels::Store::kOverwrite;  // of the pass under way: a step's first overwrites
  bool last_pass_ = false;                             // is it the step's last?
  bool added_up_ = false;                              // in this step
};

}  // namespace lockstep::reduce
