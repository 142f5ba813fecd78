#include "reduce/statistics_sum.h"

#include <cstdint>

namespace lockstep::reduce {

StatisticsSum::StatisticsSum(const nn::Model& model, const comm::Communicator& communicator)
    : model_(&model), communicator_(&communicator) {
  std::size_t size = 0;
  for (const nn::Tensor& tensor : model.tensors()) {
    places_.push_back(size);
    if (!tensor.has_gradient()) size += tensor.size;
  }
  local_.resize(size);
  sum_.resize(size);
}

void StatisticsSum::add(const nn::GradientTerms& terms) {
  for (std::size_t row = 0; row < terms.dy.rows; ++row)
    for (std::size_t i = 0; i < terms.dy.cols; ++i)
      local_[places_[terms.tensor] + i].add(double{terms.dy.data[row * terms.dy.row_stride + i]});
}

void StatisticsSum::finish() {
  if (local_.empty()) return;
  std::vector<std::int64_t> words;
  for (FixedSum& sum : local_) {
    words.insert(words.end(), {sum.whole, sum.fraction, sum.invalid});
    sum = {};
  }
  communicator_->allreduce_sum(words);
  for (std::size_t i = 0; i < sum_.size(); ++i)
    sum_[i] = static_cast<float>(FixedSum{words[3 * i], words[3 * i + 1], words[3 * i + 2]}.value());
}

std::span<const float> StatisticsSum::read(std::size_t tensor, std::size_t begin, std::size_t count) const {
  return std::span(sum_).subspan(places_[tensor] + begin - model_->tensors()[tensor].offset, count);
}

}  // namespace lockstep::reduce
