// The ranks of a job as if they were on several hosts, where the whole of it is on one.
#pragma once

#include <vector>

#include "comm/communicator.h"

namespace lockstep::test {

// Of ranks 0 to ranks-1, hosts as Communicator::hosts() has them: neighbours together, the first host with
// the fewest; every second rank on the other host; each rank on a host of its own.
inline std::vector<std::vector<int>> layouts_of_hosts(int ranks) {
  std::vector<std::vector<int>> layouts(3);
  const int second = (ranks + 2) / 3;
  for (int rank = 0; rank < ranks; ++rank) {
    layouts[0].push_back(rank < second ? 0 : second);
    layouts[1].push_back(rank % 2);
    layouts[2].push_back(rank);
  }
  return layouts;
}

}  // namespace lockstep::test
