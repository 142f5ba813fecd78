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

// How many of `threads` are worth waking for that many operations, if each is to have `worth` of them or
// more. On a busy machine a thread that has next to nothing to do costs the wait for a core.
inline int worthwhile_threads(std::size_t operations, std::size_t worth, int threads) {
  return static_cast<int>(
      std::clamp<std::size_t>(operations / worth, 1, static_cast<std::size_t>(std::max(threads, 1))));
}

// parallel_ranges' grain for rows of `width` values each, of which `values` are worth waking a thread for.
constexpr std::size_t rows_worth_a_thread(std::size_t width, std::size_t values = 4096) {
  return std::max<std::size_t>(1, values / std::max<std::size_t>(1, width));
}

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
