#include "reduce/exact_reducer.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.h"
#include "kernels/arrays.h"
#include "kernels/quantized_product.h"
#include "reduce/make_sum.h"

namespace lockstep::reduce {

using kernels::Magnitude;
using kernels::Matrix;
using kernels::Store;

namespace {

// A panel's columns of dy, and its sums while a tile of them is worked on, stay in a core's second-level
// cache. The division into panels changes no bit: an element of a product depends on its row and column
// alone.
constexpr std::size_t kPanelRows = 512;  // at most
constexpr std::size_t kMaxPanelCols = 512;
constexpr std::size_t kMinPanelCols = 128;

// Columns of a panel, where gradients of `cols` columns are cut into `strips` strips of rows: as many as
// leave each thread two panels.
std::size_t panel_cols(std::size_t strips, std::size_t cols, int threads) {
  const auto wanted = [&](std::size_t panel) {
    return strips * ((cols + panel - 1) / panel) >= 2 * static_cast<std::size_t>(threads);
  };
  std::size_t panel = kMaxPanelCols;
  while (panel > kMinPanelCols && threads > 1 && !wanted(panel)) panel /= 2;
  return panel;
}

// Rows of a panel of gradients (., cols). With overlap they leave strip by strip: about a bucket of the usual
// size each.
std::size_t panel_rows(std::size_t cols, bool overlap) {
  constexpr std::size_t kLeast = 128, kBucketFloats = std::size_t{1} << 18;
  return overlap ? std::clamp(kBucketFloats / cols, kLeast, kPanelRows) : kPanelRows;
}

void reserve(AlignedBuffer<float>& scratch, std::size_t floats) {
  if (scratch.size() < floats) scratch = AlignedBuffer<float>(floats);
}

}  // namespace

ExactReducer::ExactReducer(const ReduceOptions& options, const nn::Model& model, std::size_t contributions,
                           const comm::Communicator& communicator, int threads, liveness::Progress* progress)
    : Reducer(model, communicator, division_of(options, model, communicator)),
      threads_(threads),
      scales_(model.tensors().size(), contributions, options.wire == Wire::kInt16 ? 16 : 32),
      inverses_(model.tensors().size()),
      sum_(make_sum<std::int32_t>(division(), options, communicator,
                                  slots() / 2 + statistics_.words() + kBeside, threads, progress)),
      magnitudes_(model.tensors().size()) {
  constexpr std::size_t kTypicalRows[] = {256};  // of blocks together; add() sees to longer ones
  std::size_t scratch = 0;
  for (const nn::Tensor& tensor : model.tensors())  // of a product's panel, or a sum of rows
    scratch = std::max({scratch, scratch_of(kTypicalRows, tensor.rows(), tensor.cols()), tensor.rows()});
  for (int t = 0; t < threads; ++t) scratch_.emplace_back(scratch);
}

std::size_t ExactReducer::bytes() const {
  std::size_t bytes = sum_->bytes();
  for (const auto& scratch : scratch_) bytes += scratch.size() * sizeof(float);
  return bytes;
}

std::vector<std::int32_t> ExactReducer::state() const {
  return {scales_.exponents().begin(), scales_.exponents().end()};
}

void ExactReducer::begin_pass(std::span<const std::size_t> block_rows, bool last) {
  wait_for_whole_sum();
  block_rows_.assign(block_rows.begin(), block_rows.end());
  if (block_rows_.empty()) block_rows_ = {0};  // whose gradient is 0
  last_pass_ = last;
}

std::vector<std::size_t> ExactReducer::rows_of_blocks(const nn::GradientTerms& terms) const {
  if (terms.rows_per_sample == 0)  // a row per micro-batch; none is a block of none
    return std::vector<std::size_t>(std::max<std::size_t>(1, terms.dy.rows), terms.dy.rows > 0 ? 1 : 0);
  std::vector<std::size_t> rows = block_rows_;
  for (std::size_t& block : rows) block *= terms.rows_per_sample;
  return rows;
}

std::vector<ExactReducer::Panel> ExactReducer::panels_of(const nn::GradientTerms& terms) const {
  if (!terms.is_product()) return {{0, 1, 0, terms.dy.cols}};
  std::vector<Panel> panels;
  const std::size_t outputs = terms.dy.cols, inputs = terms.inputs();
  const std::size_t rows = panel_rows(inputs, last_pass_ && sum_->overlaps());
  const std::size_t strips = (outputs + rows - 1) / rows, cols = panel_cols(strips, inputs, threads_);
  for (std::size_t strip = strips; strip-- > 0;) {
    const std::size_t row = strip * rows;
    for (std::size_t col = 0; col < inputs; col += cols)
      panels.push_back({row, std::min(rows, outputs - row), col, std::min(cols, inputs - col)});
  }
  return panels;
}

std::size_t ExactReducer::scratch_of(std::span<const std::size_t> block_rows, std::size_t outputs,
                                     std::size_t inputs) const {
  return kernels::quantize_products_scratch(block_rows, std::min(kPanelRows, outputs),
                                            std::min(kMaxPanelCols, inputs));
}

void ExactReducer::add(const nn::GradientTerms& terms) {
  const nn::Tensor& tensor = model().tensors()[terms.tensor];
  if (tensor.learns()) {
    add_gradient(terms);
  } else {
    if (!tensor.has_gradient()) statistics_.add(terms);
    std::ranges::fill(tensor.slice(sum_->local()), 0);
  }
  const bool pass_is_over = terms.tensor == 0;
  if (pass_is_over) store_ = Store::kAccumulate;
  if (last_pass_) sum_->complete_from(tensor.offset);
}

void ExactReducer::add_gradient(const nn::GradientTerms& terms) {
  const std::vector<std::size_t> block_rows = rows_of_blocks(terms);
  if (terms.windows) return add_convolution(terms, block_rows);
  if (terms.is_product())
    for (AlignedBuffer<float>& scratch : scratch_)
      reserve(scratch, scratch_of(block_rows, terms.dy.cols, terms.inputs()));
  const std::size_t offset = model().tensors()[terms.tensor].offset;
  const std::vector<Panel> panels = panels_of(terms);
  std::vector<std::atomic<bool>> done(panels.size());
  std::size_t left = 0;  // panels that the first thread knows to be done: their rows may leave
  const int threads = std::min(threads_, static_cast<int>(panels.size()));
  std::uint32_t largest_bits = magnitudes_[terms.tensor].largest_bits;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) \
    reduction(max                                                  \
              : largest_bits) if (threads > 1)
  for (std::size_t p = 0; p < panels.size(); ++p) {
    const int thread = omp_get_thread_num();
    const Magnitude magnitude =
        add_panel(terms, block_rows, panels[p], scratch_[static_cast<std::size_t>(thread)].span());
    largest_bits = std::max(largest_bits, magnitude.largest_bits);
    done[p].store(true, std::memory_order_release);
    if (!last_pass_ || thread != 0) continue;
    const std::size_t before = left;
    while (left < panels.size() && done[left].load(std::memory_order_acquire)) ++left;
    // The panel under way may be in the midst of a strip: the strips behind it are complete.
    if (left > before && left < panels.size())
      sum_->complete_from(offset + (panels[left].row + panels[left].rows) * terms.inputs());
  }
  magnitudes_[terms.tensor] = {largest_bits};
}

void ExactReducer::add_convolution(const nn::GradientTerms& terms, std::span<const std::size_t> block_rows) {
  const nn::Tensor& tensor = model().tensors()[terms.tensor];
  reserve(scratch_.front(), tensor.size);
  const Magnitude magnitude = kernels::quantize_products(
      terms.dy, *terms.windows, block_rows, scales_.scale(terms.tensor), scales_.limit(), store_,
      sum_->local().data() + tensor.offset, scratch_.front().span(), threads_);
  auto& largest_bits = magnitudes_[terms.tensor].largest_bits;
  largest_bits = std::max(largest_bits, magnitude.largest_bits);
}

Magnitude ExactReducer::add_panel(const nn::GradientTerms& terms, std::span<const std::size_t> block_rows,
                                  const Panel& panel, std::span<float> scratch) {
  const nn::Tensor& tensor = model().tensors()[terms.tensor];
  const float scale = scales_.scale(terms.tensor), limit = scales_.limit();
  std::int32_t* const sums = sum_->local().data() + tensor.offset;
  Store store = store_;
  if (terms.is_product()) {  // dW (out,in) = dyᵀ (out,rows) x (rows,in), rows and columns of the panel
    const std::size_t stride = terms.inputs();
    return kernels::quantize_products(terms.dy.col_range(panel.row, panel.rows),
                                      terms.x.col_range(panel.col, panel.cols), block_rows, scale, limit,
                                      store, sums + panel.row * stride + panel.col, stride, scratch);
  }
  const Matrix of_block(scratch.data(), 1, tensor.size);  // db (out) = sum of the block's rows of dy
  Magnitude magnitude;
  std::size_t row = 0;
  for (const std::size_t rows : block_rows) {
    std::fill_n(of_block.data, tensor.size, 0.0F);
    kernels::add_column_sums(terms.dy.row_range(row, rows), {of_block.data, tensor.size});
    const Magnitude largest = kernels::quantize(of_block, scale, limit, store, sums, tensor.size);
    magnitude.largest_bits = std::max(magnitude.largest_bits, largest.largest_bits);
    store = Store::kAccumulate;
    row += rows;
  }
  return magnitude;
}

// Two counters travel as one integer: they count ranks, so that the lower one's sum stays below 2^31.
void ExactReducer::add_up(std::span<std::int64_t> beside) {
  require(last_pass_ && slots_.empty(), "ExactReducer: the step's last pass has not begun");
  slots_.resize(slots());
  for (std::size_t t = 0; t < magnitudes_.size(); ++t)
    scales_.count(t, std::exchange(magnitudes_[t], {}), slots_);
  std::vector<std::int64_t> words(slots() / 2);
  std::memcpy(words.data(), slots_.data(), slots_.size() * sizeof(std::int32_t));
  statistics_.append_to(words);
  words.insert(words.end(), beside.begin(), beside.end());
  sum_->add_up(words);
  std::memcpy(slots_.data(), words.data(), slots_.size() * sizeof(std::int32_t));
  const std::span<const std::int64_t> rest = std::span(words).subspan(slots() / 2);
  statistics_.take(rest.first(statistics_.words()));
  std::ranges::copy(rest.last(beside.size()), beside.begin());
}

Reducer::Outcome ExactReducer::finish() {
  if (slots_.empty()) add_up({});
  last_pass_ = false;
  sum_->finish();
  store_ = Store::kOverwrite;

  Outcome outcome = Outcome::kSummed;
  for (std::size_t t = 0; t < inverses_.size(); ++t) {
    inverses_[t] = scales_.inverse(t);
    switch (scales_.judge(t, slots_)) {
      case Scales::Verdict::kFits:
        break;
      case Scales::Verdict::kRescale:
        if (outcome == Outcome::kSummed) outcome = Outcome::kRepeat;
        break;
      case Scales::Verdict::kNotFinite:
        outcome = Outcome::kNotFinite;
        inverses_[t] = std::numeric_limits<float>::quiet_NaN();
        break;
    }
  }
  scales_.follow(slots_);
  slots_.clear();
  if (outcome != Outcome::kSummed) wait_for_whole_sum();
  return outcome;
}

std::size_t ExactReducer::wait_for_sum(std::size_t least) {
  return std::min(sum_->wait_for_sum(least), division().own().size());
}

std::span<const float> ExactReducer::read(std::size_t tensor, std::size_t begin,
                                          std::span<float> scratch) const {
  if (!has_gradient(tensor)) return statistics_.read(tensor, begin, scratch.size());
  alignas(64) std::int32_t integers[Division::kChunk];
  const auto sums = sum_->read(begin, std::span(integers).first(scratch.size()));
  kernels::dequantize(sums, inverses_[tensor], scratch);
  return scratch;
}

}  // namespace lockstep::reduce
