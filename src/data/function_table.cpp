#include "data/function_table.h"

#include <fmt/format.h>

#include <cmath>

#include "base/elementary.h"
#include "base/error.h"
#include "base/random.h"

namespace lockstep::data {

double function_value(Function function, double x) {
  switch (function) {
    case Function::kSine: {
      const double turns = x - 0.25;
      return stable_cos_turns(turns - std::floor(turns));
    }
    case Function::kKink:
      return std::fabs(2.0 * x - 1.0);
  }
  return 0.0;
}

FunctionTable::FunctionTable(const DataOptions& options)
    : function_(options.function), n_(options.n), noise_(options.noise), seed_(options.seed) {
  if (n_ < 2) throw ConfigError(fmt::format("data.n is {}, expected at least 2 points", n_));
}

DatasetInfo FunctionTable::info() const {
  return {.name = "function",
          .pixels = false,
          .channels = 1,
          .channel_size = 1,
          .classes = 0,
          .class_names = {},
          .train_samples = n_,
          .test_samples = 0,
          .function = function_,
          .note = {}};
}

SampleStore FunctionTable::load(Split, std::span<const std::uint32_t> samples) const {
  SampleStore store = SampleStore::of_values(samples.size(), 1);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double x = static_cast<double>(samples[i]) / static_cast<double>(n_ - 1);
    const RandomStream stream(seed_, Purpose::kFunctionNoise, samples[i]);
    store.values[i] = static_cast<float>(x);
    store.targets[i] = static_cast<float>(function_value(function_, x) + noise_ * stream.normal(0));
  }
  return store;
}

}  // namespace lockstep::data
