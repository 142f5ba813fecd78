#include "reduce/float_reducer.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/simd.h"
#include "kernels/arrays.h"
#include "reduce/make_sum.h"

namespace lockstep::reduce {

using kernels::Matrix;
using kernels::Store;

FloatReducer::FloatReducer(const ReduceOptions& options, const nn::Model& model,
                           const comm::Communicator& communicator, int threads, liveness::Progress* progress)
    : Reducer(model, communicator, division_of(options, model, communicator)),
      communicator_(&communicator),
      threads_(threads),
      sum_(make_sum<float>(division(), options, communicator, statistics_.words() + kBeside, threads,
                           progress)) {}

void FloatReducer::begin_pass(std::span<const std::size_t>, bool last) { last_pass_ = last; }

void FloatReducer::add(const nn::GradientTerms& terms) {
  const nn::Tensor& tensor = model().tensors()[terms.tensor];
  const auto sum = tensor.slice(sum_->local());
  if (!tensor.learns()) {
    if (!tensor.has_gradient()) statistics_.add(terms);
    std::ranges::fill(sum, 0.0F);
  } else if (terms.is_product()) {
    add_product(terms, tensor.offset, sum);
  } else {  // db (out) = sum of the rows of dy (B,out)
    if (store_ == Store::kOverwrite) std::fill(sum.begin(), sum.end(), 0.0F);
    kernels::add_column_sums(terms.dy, sum);
  }
  if (last_pass_) sum_->complete_from(tensor.offset);
  if (terms.tensor == 0) store_ = Store::kAccumulate;  // the pass is over
}

void FloatReducer::add_product(const nn::GradientTerms& terms, std::size_t offset, std::span<float> sum) {
  // With overlap in strips, which leave one by one: each is a product that packs x once more, so they are not
  // small.
  constexpr std::size_t kStripRows = 256;
  const std::size_t outputs = terms.dy.cols, inputs = terms.inputs();
  const std::size_t strip = last_pass_ && sum_->overlaps() ? kStripRows : outputs;
  for (std::size_t end = outputs; end > 0;) {
    const std::size_t rows = std::min(strip, end);
    if (last_pass_) sum_->complete_from(offset + end * inputs);
    end -= rows;
    const auto dy = terms.dy.col_range(end, rows).transposed();
    const Matrix dw(sum.data() + end * inputs, rows, inputs);
    if (terms.windows)
      kernels::gemm(dy, *terms.windows, dw, store_, threads_);
    else
      kernels::gemm(dy, terms.x, dw, store_, threads_);
  }
}

void FloatReducer::add_up(std::span<std::int64_t> beside) {
  require(last_pass_ && !std::exchange(added_up_, true), "FloatReducer: the step's last pass has not begun");
  std::vector<std::int64_t> words;
  statistics_.append_to(words);
  words.insert(words.end(), beside.begin(), beside.end());
  sum_->add_up(words);
  statistics_.take(std::span(words).first(statistics_.words()));
  std::copy(words.end() - static_cast<std::ptrdiff_t>(beside.size()), words.end(), beside.begin());
}

Reducer::Outcome FloatReducer::finish() {
  if (!added_up_) add_up({});
  last_pass_ = added_up_ = false;
  sum_->finish();
  sum_->wait_for_sum(kAll);
  store_ = Store::kOverwrite;
  const bool finite = own_part_is_finite();
  const bool all = division().is_divided() ? communicator_->allreduce_min(finite ? 1 : 0) == 1 : finite;
  return all ? Outcome::kSummed : Outcome::kNotFinite;
}

bool FloatReducer::own_part_is_finite() const {
  const std::vector<Division::OwnChunk>& chunks = division().own();
  std::atomic<bool> finite = true;
  parallel_ranges(chunks.size(), 1, threads_, [&](std::size_t begin, std::size_t end) {
    alignas(64) float scratch[Division::kChunk];
    for (; begin < end; ++begin)
      if (!kernels::all_finite(sum_->read(chunks[begin].begin, std::span(scratch).first(chunks[begin].size))))
        finite = false;
  });
  return finite;
}

}  // namespace lockstep::reduce
