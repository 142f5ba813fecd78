#include "reduce/exact_reducer.h"

#include <omp.h>

#include <algorithm>
#include <limits>

#include "kernels/arrays.h"

namespace lockstep::reduce {

using kernels::ConstMatrix;
using kernels::Magnitude;
using kernels::Matrix;
using kernels::Store;

namespace {

// A panel and its sums (512 KiB each) fit a core's second-level cache together. The division into panels
// changes no bit: an element of a product depends on its row and column alone.
constexpr std::size_t kPanelRows = 256;
constexpr std::size_t kPanelCols = 512;

}  // namespace

ExactReducer::ExactReducer(const nn::Model& model, std::size_t contributions,
                           const comm::Communicator& communicator, int threads)
    : model_(&model),
      communicator_(&communicator),
      threads_(threads),
      scales_(model.tensors().size(), contributions),
      sums_(model.parameters() + Scales::kSlots * model.tensors().size()),
      gradient_(model.parameters()),
      contributions_(model.tensors().size()) {
  std::size_t largest_panel = 0;
  for (const nn::Tensor& tensor : model.tensors())
    largest_panel = std::max(largest_panel, tensor.is_weight() ? std::min(kPanelRows, tensor.shape[0]) *
                                                                     std::min(kPanelCols, tensor.shape[1])
                                                               : tensor.size);
  for (int t = 0; t < threads; ++t) scratch_.emplace_back(largest_panel);
}

std::size_t ExactReducer::bytes() const {
  std::size_t bytes = sums_.size() * sizeof(std::int32_t) + gradient_.size() * sizeof(float);
  for (const auto& scratch : scratch_) bytes += scratch.size() * sizeof(float);
  return bytes;
}

std::vector<std::int32_t> ExactReducer::state() const {
  return {scales_.exponents().begin(), scales_.exponents().end()};
}

void ExactReducer::start_pass(std::span<const std::size_t> block_rows) {
  block_rows_.assign(block_rows.begin(), block_rows.end());
}

std::vector<ExactReducer::Panel> ExactReducer::panels_of(const nn::GradientTerms& terms) {
  if (terms.x.data == nullptr) return {{0, 1, 0, terms.dy.cols}};
  std::vector<Panel> panels;
  for (std::size_t row = 0; row < terms.dy.cols; row += kPanelRows)
    for (std::size_t col = 0; col < terms.x.cols; col += kPanelCols)
      panels.push_back(
          {row, std::min(kPanelRows, terms.dy.cols - row), col, std::min(kPanelCols, terms.x.cols - col)});
  return panels;
}

void ExactReducer::add(const nn::GradientTerms& terms) {
  Contribution& contribution = contributions_[terms.tensor];
  const std::vector<Panel> panels = panels_of(terms);
  const int threads = std::min(threads_, static_cast<int>(panels.size()));
  std::uint32_t largest_bits = contribution.magnitude.largest_bits;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) \
    reduction(max                                                  \
              : largest_bits) if (threads > 1)
  for (std::size_t p = 0; p < panels.size(); ++p) {
    const Magnitude magnitude = add_panel(terms, panels[p], contribution.begun,
                                          scratch_[static_cast<std::size_t>(omp_get_thread_num())]);
    largest_bits = std::max(largest_bits, magnitude.largest_bits);
  }
  contribution = {true, {largest_bits}};
}

Magnitude ExactReducer::add_panel(const nn::GradientTerms& terms, const Panel& panel, bool accumulate,
                                  AlignedBuffer<float>& scratch) {
  const nn::Tensor& tensor = model_->tensors()[terms.tensor];
  const std::size_t stride = terms.x.data == nullptr ? tensor.size : terms.x.cols;
  std::int32_t* sums = sums_.data() + tensor.offset + panel.row * stride + panel.col;
  const Matrix block_gradient(scratch.data(), panel.rows, panel.cols);
  Magnitude magnitude;
  std::size_t row = 0;
  for (const std::size_t rows : block_rows_) {
    const ConstMatrix dy = terms.dy.row_range(row, rows);
    if (terms.x.data != nullptr) {  // dW (out,in) = dyᵀ (out,rows) x (rows,in), rows and columns of the panel
      kernels::gemm(dy.col_range(panel.row, panel.rows).transposed(),
                    terms.x.row_range(row, rows).col_range(panel.col, panel.cols), block_gradient,
                    Store::kOverwrite, /*threads=*/1);
    } else {  // db (out) = sum of the rows of dy
      std::fill_n(scratch.data(), panel.cols, 0.0F);
      kernels::add_column_sums(dy, {scratch.data(), panel.cols});
    }
    const Magnitude of_block =
        kernels::quantize(block_gradient, scales_.scale(terms.tensor), scales_.limit(),
                          accumulate ? Store::kAccumulate : Store::kOverwrite, sums, stride);
    magnitude.largest_bits = std::max(magnitude.largest_bits, of_block.largest_bits);
    accumulate = true;
    row += rows;
  }
  return magnitude;
}

Reducer::Outcome ExactReducer::finalize() {
  const auto& tensors = model_->tensors();
  const auto slots = sums_.span().subspan(model_->parameters());
  std::fill(slots.begin(), slots.end(), 0);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const auto sum = tensors[t].slice(sums_.span());
    if (!contributions_[t].begun) std::fill(sum.begin(), sum.end(), 0);
    scales_.count(t, contributions_[t].magnitude, slots);
    contributions_[t] = {};
  }
  communicator_->allreduce_sum(sums_.span());

  Outcome outcome = Outcome::kSummed;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const auto gradient = tensors[t].slice(gradient_.span());
    switch (scales_.judge(t, slots)) {
      case Scales::Verdict::kFits:
        kernels::dequantize(tensors[t].slice(sums_.span()), scales_.inverse(t), gradient, threads_);
        break;
      case Scales::Verdict::kRescale:
        if (outcome == Outcome::kSummed) outcome = Outcome::kRepeat;
        break;
      case Scales::Verdict::kNotFinite:
        outcome = Outcome::kNotFinite;
        std::fill(gradient.begin(), gradient.end(), std::numeric_limits<float>::quiet_NaN());
        break;
    }
  }
  scales_.follow(slots);
  return outcome;
}

}  // namespace lockstep::reduce
