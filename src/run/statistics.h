// Smallest, largest, mean and deviation of numbers that come one after the other.
#pragma once

#include <cstddef>
#include <limits>
#include <string>

namespace lockstep::run {

class Statistics {
 public:
  // x, so many times. What is not finite is counted, and nothing else.
  void add(double x, std::size_t times = 1);

  std::size_t finite() const { return finite_; }
  std::size_t not_finite() const { return not_finite_; }
  double min() const { return min_; }
  double max() const { return max_; }
  double mean() const { return mean_; }
  double stddev() const;  // over all numbers: the squares' sum is divided by their count

  // A table's columns, and what is in them: "-" for what no numbers have.
  static std::string header();
  std::string columns() const;

 private:
  std::size_t finite_ = 0, not_finite_ = 0;
  double min_ = std::numeric_limits<double>::infinity(), max_ = -min_;
  double mean_ = 0.0, squares_ = 0.0;  // of distances from the mean, summed
};

}  // namespace lockstep::run
