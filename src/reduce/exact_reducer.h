// reduce.mode = "exact": sums of integers, the same bits at any number of ranks and threads.
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "reduce/reducer.h"
#include "reduce/scales.h"

namespace lockstep::reduce {

// Each block's gradient of a tensor is a product of its own, rounded to integers at the tensor's scale and
// added to this rank's sums while it is in cache: panel by panel, a thread a panel, so that no two threads
// share a sum.
class ExactReducer final : public Reducer {
 public:
  ExactReducer(const nn::Model& model, std::size_t contributions, const comm::Communicator& communicator,
               int threads);

  void start_pass(std::span<const std::size_t> block_rows) override;
  void add(const nn::GradientTerms& terms) override;
  Outcome finalize() override;
  std::span<const float> gradient() const override { return gradient_.span(); }
  // The scales' exponents, a tensor each.
  std::vector<std::int32_t> state() const override;
  void restore(std::span<const std::int32_t> state) override { scales_.restore(state); }
  std::size_t bytes() const override;

 private:
  // A part of a tensor's gradient: of a weight's some rows and columns, of a bias's all, as one row.
  struct Panel {
    std::size_t row = 0, rows = 0, col = 0, cols = 0;
  };
  static std::vector<Panel> panels_of(const nn::GradientTerms& terms);
  // Adds all blocks of this pass, one after the other; the first overwrites unless `accumulate`.
  kernels::Magnitude add_panel(const nn::GradientTerms& terms, const Panel& panel, bool accumulate,
                               AlignedBuffer<float>& scratch);

  const nn::Model* model_;
  const comm::Communicator* communicator_;
  int threads_;
  Scales scales_;
  std::vector<std::size_t> block_rows_;
  AlignedBuffer<std::int32_t> sums_;  // laid out like the parameter arena, then Scales::kSlots a tensor
  AlignedBuffer<float> gradient_;
  struct Contribution {
    bool begun = false;  // does sums_ hold this step's?
    kernels::Magnitude magnitude;
  };
  std::vector<Contribution> contributions_;    // per tensor
  std::vector<AlignedBuffer<float>> scratch_;  // per thread: one panel
};

}  // namespace lockstep::reduce
