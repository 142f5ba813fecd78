#include "reduce/float_reducer.h"

#include <algorithm>
#include <utility>

#include "kernels/arrays.h"

namespace lockstep::reduce {

using kernels::Matrix;
using kernels::Store;

FloatReducer::FloatReducer(const ReduceOptions& options, const nn::Model& model,
                           const comm::Communicator& communicator, int threads)
    : Reducer(model),
      threads_(threads),
      sum_(model.parameters(), options, communicator, threads),
      touched_(model.tensors().size()) {}

void FloatReducer::add(const nn::GradientTerms& terms) {
  const nn::Tensor& tensor = model().tensors()[terms.tensor];
  const auto sum = tensor.slice(sum_.numbers());
  const bool begun = touched_[terms.tensor];
  touched_[terms.tensor] = true;
  if (terms.x.data == nullptr) {  // db (out) = sum of the rows of dy (B,out)
    if (!begun) std::fill(sum.begin(), sum.end(), 0.0F);
    kernels::add_column_sums(terms.dy, sum);
    if (last_pass_) sum_.complete_from(tensor.offset);
    return;
  }
  // dW (out,in) = dyᵀ (out,B) x (B,in), the last rows first. With overlap in strips, which leave one by one:
  // each is a product that packs x once more, so they are not small.
  constexpr std::size_t kStripRows = 256;
  const std::size_t outputs = terms.dy.cols, inputs = terms.x.cols;
  const std::size_t strip = last_pass_ && sum_.overlaps() ? kStripRows : outputs;
  for (std::size_t end = outputs; end > 0;) {
    const std::size_t rows = std::min(strip, end);
    end -= rows;
    kernels::gemm(terms.dy.col_range(end, rows).transposed(), terms.x,
                  Matrix(sum.data() + end * inputs, rows, inputs),
                  begun ? Store::kAccumulate : Store::kOverwrite, threads_);
    if (last_pass_) sum_.complete_from(tensor.offset + end * inputs);
  }
}

void FloatReducer::complete() {
  if (std::exchange(complete_, true)) return;
  for (std::size_t t = 0; t < touched_.size(); ++t) {
    const auto sum = model().tensors()[t].slice(sum_.numbers());
    if (!touched_[t]) std::fill(sum.begin(), sum.end(), 0.0F);
  }
  sum_.complete();
}

Reducer::Outcome FloatReducer::finalize() {
  complete();
  sum_.finish();
  touched_.assign(touched_.size(), false);
  last_pass_ = complete_ = false;
  return kernels::all_finite(sum_.sum(), threads_) ? Outcome::kSummed : Outcome::kNotFinite;
}

}  // namespace lockstep::reduce
