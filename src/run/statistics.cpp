#include "run/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lockstep::run {

// Welford, "Note on a method for calculating corrected sums of squares and products" (1962), with weights.
void Statistics::add(double x, std::size_t times) {
  if (times == 0) return;
  if (!std::isfinite(x)) {
    not_finite_ += times;
    return;
  }
  finite_ += times;
  const double distance = x - mean_, weight = static_cast<double>(times);
  mean_ += distance * weight / static_cast<double>(finite_);
  squares_ += weight * distance * (x - mean_);
  min_ = std::min(min_, x);
  max_ = std::max(max_, x);
}

double Statistics::stddev() const { return std::sqrt(squares_ / static_cast<double>(finite_)); }

std::string Statistics::header() {
  return fmt::format("{:>13}{:>13}{:>13}{:>13}{:>12}", "min", "max", "mean", "std", "not finite");
}

std::string Statistics::columns() const {
  std::string text;
  for (const double x : {min_, max_, mean_, stddev()})
    text += fmt::format("{:>13}", finite_ == 0 ? "-" : fmt::format("{:.6g}", x));
  return text + fmt::format("{:>12}", not_finite_);
}

}  // namespace lockstep::run
