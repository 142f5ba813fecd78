#include "reduce/float_reducer.h"

#include <algorithm>

#include "kernels/arrays.h"

namespace lockstep::reduce {

using kernels::Matrix;
using kernels::Store;

FloatReducer::FloatReducer(const nn::Model& model, const comm::Communicator& communicator, int threads)
    : model_(&model),
      communicator_(&communicator),
      threads_(threads),
      gradient_(model.parameters()),
      touched_(model.tensors().size()) {}

void FloatReducer::add(const nn::GradientTerms& terms) {
  const auto sum = model_->tensors()[terms.tensor].slice(gradient_.span());
  const bool begun = touched_[terms.tensor];
  touched_[terms.tensor] = true;
  if (terms.x.data != nullptr) {  // dW (out,in) = dyᵀ (out,B) x (B,in)
    kernels::gemm(terms.dy.transposed(), terms.x, Matrix(sum.data(), terms.dy.cols, terms.x.cols),
                  begun ? Store::kAccumulate : Store::kOverwrite, threads_);
  } else {  // db (out) = sum of the rows of dy (B,out)
    if (!begun) std::fill(sum.begin(), sum.end(), 0.0F);
    kernels::add_column_sums(terms.dy, sum);
  }
}

Reducer::Outcome FloatReducer::finalize() {
  for (std::size_t t = 0; t < touched_.size(); ++t) {
    const auto sum = model_->tensors()[t].slice(gradient_.span());
    if (!touched_[t]) std::fill(sum.begin(), sum.end(), 0.0F);
    touched_[t] = false;
  }
  communicator_->allreduce_sum(gradient_.span());
  return kernels::all_finite(gradient_.span(), threads_) ? Outcome::kSummed : Outcome::kNotFinite;
}

}  // namespace lockstep::reduce
