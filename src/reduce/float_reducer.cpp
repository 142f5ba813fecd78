#include "reduce/float_reducer.h"

#include <algorithm>
#include <utility>

#include "kernels/arrays.h"

namespace lockstep::reduce {

using kernels::Matrix;
using kernels::Store;

FloatReducer::FloatReducer(const ReduceOptions& options, const nn::Model& model,
                           const comm::Communicator& communicator, int threads, liveness::Progress* progress)
    : Reducer(model, communicator),
      threads_(threads),
      sum_(model.parameters(), options, communicator, threads, progress) {}

void FloatReducer::begin_pass(std::span<const std::size_t>, bool last) { last_pass_ = last; }

void FloatReducer::add(const nn::GradientTerms& terms) {
  const nn::Tensor& tensor = model().tensors()[terms.tensor];
  const auto sum = tensor.slice(sum_.local());
  if (!tensor.learns()) {
    if (!tensor.has_gradient()) statistics_.add(terms);
    std::ranges::fill(sum, 0.0F);
  } else if (terms.is_product()) {
    add_product(terms, tensor.offset, sum);
  } else {  // db (out) = sum of the rows of dy (B,out)
    if (store_ == Store::kOverwrite) std::fill(sum.begin(), sum.end(), 0.0F);
    kernels::add_column_sums(terms.dy, sum);
  }
  if (last_pass_) sum_.complete_from(tensor.offset);
  if (terms.tensor == 0) store_ = Store::kAccumulate;  // the pass is over
}

void FloatReducer::add_product(const nn::GradientTerms& terms, std::size_t offset, std::span<float> sum) {
  // With overlap in strips, which leave one by one: each is a product that packs x once more, so they are not
  // small.
  constexpr std::size_t kStripRows = 256;
  const std::size_t outputs = terms.dy.cols, inputs = terms.inputs();
  const std::size_t strip = last_pass_ && sum_.overlaps() ? kStripRows : outputs;
  for (std::size_t end = outputs; end > 0;) {
    const std::size_t rows = std::min(strip, end);
    if (last_pass_) sum_.complete_from(offset + end * inputs);
    end -= rows;
    const auto dy = terms.dy.col_range(end, rows).transposed();
    const Matrix dw(sum.data() + end * inputs, rows, inputs);
    if (terms.windows)
      kernels::gemm(dy, *terms.windows, dw, store_, threads_);
    else
      kernels::gemm(dy, terms.x, dw, store_, threads_);
  }
}

Reducer::Outcome FloatReducer::finish() {
  require(std::exchange(last_pass_, false), "FloatReducer::finish: the step's last pass has not begun");
  sum_.finish();
  statistics_.finish();
  store_ = Store::kOverwrite;
  return kernels::all_finite(sum_.sum(), threads_) ? Outcome::kSummed : Outcome::kNotFinite;
}

}  // namespace lockstep::reduce
