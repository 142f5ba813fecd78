// reduce.mode = "exact": sums of integers, the same bits at any number of ranks and threads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/aligned_buffer.h"
#include "reduce/gradient_sum.h"
#include "reduce/reducer.h"
#include "reduce/scales.h"

namespace lockstep::reduce {

// Each block's gradient of a tensor is a product of its own, rounded to integers at the tensor's scale and
// added to this rank's sums while it is in cache: panel by panel, one thread per panel, so that no two
// threads share a sum. Panels are taken from the tensor's end, where what is complete leaves first.
class ExactReducer final : public Reducer {
 public:
  ExactReducer(const ReduceOptions& options, const nn::Model& model, std::size_t contributions,
               const comm::Communicator& communicator, int threads, liveness::Progress* progress);

  void begin_pass(std::span<const std::size_t> block_rows, bool last) override;
  void add(const nn::GradientTerms& terms) override;
  void add_up(std::span<std::int64_t> beside) override;
  Outcome finish() override;
  std::size_t wait_for_sum(std::size_t least) override;
  std::span<const float> read(std::size_t tensor, std::size_t begin, std::span<float> scratch) const override;
  // The scales' exponents, one per tensor.
  std::vector<std::int32_t> state() const override;
  void restore(std::span<const std::int32_t> state) override { scales_.restore(state); }
  void gather(std::span<float> arena) const override { sum_->gather(arena); }
  void begin_gather(std::span<float> arena) override { sum_->begin_gather(arena); }
  std::size_t wait_for(std::span<const float> parameters, std::size_t least) override {
    return sum_->wait_for(parameters, least);
  }
  void give_up() override { sum_->give_up(); }
  std::size_t bytes() const override;

 private:
  // A part of a tensor's gradient: of a weight's some rows and columns, of a bias's all, as one row.
  struct Panel {
    std::size_t row = 0, rows = 0, col = 0, cols = 0;
  };
  // All panels of a tensor that has a gradient.
  void add_gradient(const nn::GradientTerms& terms);
  void add_convolution(const nn::GradientTerms& terms, std::span<const std::size_t> block_rows);
  // How many rows of the terms each block has.
  std::vector<std::size_t> rows_of_blocks(const nn::GradientTerms& terms) const;
  std::vector<Panel> panels_of(const nn::GradientTerms& terms) const;
  // Floats to work in on a panel of a weight (outputs, inputs).
  std::size_t scratch_of(std::span<const std::size_t> block_rows, std::size_t outputs,
                         std::size_t inputs) const;
  // Adds all blocks of this pass, one after the other.
  kernels::Magnitude add_panel(const nn::GradientTerms& terms, std::span<const std::size_t> block_rows,
                               const Panel& panel, std::span<float> scratch);
  std::size_t slots() const { return Scales::kSlots * inverses_.size(); }

  int threads_;
  Scales scales_;
  std::vector<float>
      inverses_;  // per tensor: what the step's sum is multiplied with; NaN where it is not finite
  std::vector<std::size_t> block_rows_;                // of the pass under way
  kernels::Store store_ = kernels::Store::kOverwrite;  // of it: a step's first overwrites
  bool last_pass_ = false;                             // is it the step's last?
  std::unique_ptr<GradientSum<std::int32_t>> sum_;
  std::vector<std::int32_t> slots_;             // the counters of all ranks; empty until they are added up
  std::vector<kernels::Magnitude> magnitudes_;  // per tensor: the largest of this rank's, so far in this step
  std::vector<AlignedBuffer<float>> scratch_;   // per thread: to work on a panel
};

}  // namespace lockstep::reduce
