#include "reduce/statistics_sum.h"

#include <algorithm>

namespace lockstep::reduce {

StatisticsSum::StatisticsSum(const nn::Model& model) : model_(&model) {
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

void StatisticsSum::append_to(std::vector<std::int64_t>& words) const {
  for (const FixedSum& sum : local_) words.insert(words.end(), {sum.whole, sum.fraction, sum.invalid});
}

void StatisticsSum::take(std::span<const std::int64_t> words) {
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    const auto w = words.subspan(kWords * i, kWords);
    sum_[i] = static_cast<float>(FixedSum{w[0], w[1], w[2]}.value());
  }
  std::ranges::fill(local_, FixedSum{});
}

std::span<const float> StatisticsSum::read(std::size_t tensor, std::size_t begin, std::size_t count) const {
  return std::span(sum_).subspan(places_[tensor] + begin - model_->tensors()[tensor].offset, count);
}

}  // namespace lockstep::reduce
