// Whole splits of small data sets, for tests.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "data/dataset.h"

namespace lockstep::test {

// 0, 1, ..., n-1.
inline std::vector<std::uint32_t> first_numbers(std::size_t n) {
  std::vector<std::uint32_t> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

inline data::SampleStore load_all(const data::Dataset& dataset, data::Split split = data::Split::kTrain) {
  return dataset.load(split, first_numbers(dataset.info().samples(split)));
}

}  // namespace lockstep::test
