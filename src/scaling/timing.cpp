#include "scaling/timing.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/clock.h"

namespace lockstep::scaling {

double seconds_of(const comm::Communicator& world, const std::function<void()>& action,
                  const std::function<void()>& after) {
  constexpr std::size_t kRepeats = 11;
  std::array<std::int64_t, kRepeats> times = {};
  for (std::int64_t& time : times) {
    world.barrier();
    const std::int64_t start = nanoseconds_now();
    action();
    time = nanoseconds_now() - start;
    after();
  }
  std::nth_element(times.begin(), times.begin() + kRepeats / 2, times.end());
  return 1e-9 * static_cast<double>(times[kRepeats / 2]);
}

}  // namespace lockstep::scaling
