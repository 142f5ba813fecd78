// A function of one variable as a table: n points x evenly on [0, 1], ends included, with a value each.
//
//   sine  sin(2 pi x)
//   kink  |2 x - 1|
// plus `noise` times a standard normal draw of (data.seed, point).
#pragma once

#include <span>

#include "data/dataset.h"

namespace lockstep::data {

double function_value(Function function, double x);

class FunctionTable final : public Dataset {
 public:
  // Throws ConfigError if options.n is below 2.
  explicit FunctionTable(const DataOptions& options);

  // All points are training samples.
  DatasetInfo info() const override;
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;

 private:
  Function function_;
  std::size_t n_;
  double noise_;
  std::uint64_t seed_;
};

}  // namespace lockstep::data
