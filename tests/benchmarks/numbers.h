// What the benchmarks compute with.
#pragma once

#include <cstddef>
#include <vector>

namespace lockstep::benchmarks {

// Numbers between -0.5 and 0.5, the same each time.
inline std::vector<float> numbers(std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i * 2654435761U % 1000) * 1e-3F - 0.5F;
  return x;
}

}  // namespace lockstep::benchmarks
