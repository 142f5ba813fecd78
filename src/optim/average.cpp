#include "optim/average.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::optim {
namespace {

LOCKSTEP_CLONES void move_average(float* a, const float* w, std::size_t n, float share) {
  for (std::size_t i = 0; i < n; ++i) a[i] += share * (w[i] - a[i]);
}

}  // namespace

Average::Average(double decay, std::span<const float> parameters)
    : decay_(decay), values_(decay == 0.0 ? 0 : parameters.size()) {
  if (is_kept()) std::ranges::copy(parameters, values_.data());
}

void Average::follow(std::span<const float> parameters, std::size_t first, bool first_step) {
  if (!is_kept()) return;
  require(first + parameters.size() <= values_.size(), "Average::follow: there are fewer parameters");
  if (first_step)
    std::ranges::copy(parameters, values_.data() + first);
  else
    move_average(values_.data() + first, parameters.data(), parameters.size(),
                 static_cast<float>(1.0 - decay_));
}

void Average::restore(std::span<const float> values) {
  if (values.size() != values_.size())
    throw ModelError(fmt::format("the state has an average of {} parameters, expected one of {}",
                                 values.size(), values_.size()));
  std::ranges::copy(values, values_.data());
}

}  // namespace lockstep::optim
