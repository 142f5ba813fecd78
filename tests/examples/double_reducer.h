// A reducer of one's own: rows and ranks are summed one number after the other in fixed point of 64 bits, so
// that the sum has no order either; slow, and without scales to follow.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "reduce/reducer.h"

namespace lockstep::examples {

class DoubleReducer final : public reduce::Reducer {
 public:
  DoubleReducer(const nn::Model& model, const comm::Communicator& communicator)
      : Reducer(model, communicator),
        communicator_(communicator),
        sums_(model.parameters()),
        gradient_(model.parameters()) {}

  void begin_pass(std::span<const std::size_t>, bool) override {}

  // Each row's term is rounded by itself: no matter which rank has the row, it is the same integer.
  void add(const nn::GradientTerms& terms) override {
    const nn::Tensor& tensor = model().tensors()[terms.tensor];
    std::int64_t* sums = sums_.data() + tensor.offset;
    for (std::size_t row = 0; row < terms.dy.rows; ++row)
      for (std::size_t i = 0; i < tensor.size; ++i)
        sums[i] += terms.is_product()
                       ? rounded(at(terms.dy, row, i / terms.x.cols) * at(terms.x, row, i % terms.x.cols))
                       : rounded(at(terms.dy, row, i));
  }

  Outcome finish() override {
    communicator_.allreduce_sum(std::span(sums_));
    for (std::size_t i = 0; i < sums_.size(); ++i)
      gradient_[i] = static_cast<float>(static_cast<double>(sums_[i]) / kScale);
    sums_.assign(sums_.size(), 0);
    return Outcome::kSummed;
  }

  std::span<const float> read(std::size_t, std::size_t begin, std::span<float> scratch) const override {
    return std::span(gradient_).subspan(begin, scratch.size());
  }
  std::vector<std::int32_t> state() const override { return {}; }
  void restore(std::span<const std::int32_t> state) override {
    require(state.empty(), "DoubleReducer: has no state");
  }
  std::size_t bytes() const override {
    return sums_.size() * sizeof(std::int64_t) + gradient_.size() * sizeof(float);
  }

 private:
  static constexpr double kScale = 0x1p40;
  static double at(const kernels::ConstMatrix& m, std::size_t i, std::size_t j) {
    return m.data[i * m.row_stride + j * m.col_stride];
  }
  static std::int64_t rounded(double x) { return std::llround(x * kScale); }

  const comm::Communicator& communicator_;
  std::vector<std::int64_t> sums_;
  std::vector<float> gradient_;
};

}  // namespace lockstep::examples
