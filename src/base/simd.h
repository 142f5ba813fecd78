// Loops compiled for several instruction sets, chosen when the program starts.
//
// Elementwise loops give the same bits in every clone, since contraction of a*b+c is off (see
// CMakeLists.txt). A loop that sums must fix its own order (lanes) to have that property.
#pragma once

#include <algorithm>
#include <cstddef>

#if defined(__x86_64__) && !defined(LOCKSTEP_SANITIZED)
#define LOCKSTEP_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LOCKSTEP_CLONES
#endif

namespace lockstep {

// body(begin, end) on `threads` contiguous parts of 0..n-1, cut at multiples of `grain`, one OpenMP thread
// each.
template <typename Body>
void parallel_ranges(std::size_t n, std::size_t grain, int threads, Body&& body) {
  const std::size_t grains = (n + grain - 1) / grain;
  const auto parts = std::min(grains, static_cast<std::size_t>(std::max(threads, 1)));
  if (parts <= 1) {
    if (n > 0) body(std::size_t{0}, n);
    return;
  }
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(parts))
  for (std::size_t p = 0; p < parts; ++p)
    body(grains * p / parts * grain, std::min(n, grains * (p + 1) / parts * grain));
}

}  // namespace lockstep
