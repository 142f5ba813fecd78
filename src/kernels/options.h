// What the [compute] section of a configuration decides.
#pragma once

#include <string>

namespace lockstep::kernels {

struct ComputeOptions {
  int threads =
      0;  // OpenMP threads of each rank; 0: OMP_NUM_THREADS, else the host's cores shared among its ranks
  std::string kernels =
      "auto";  // for speed alone: one of kKernelSets' names, or the best of the rank's processor
};

}  // namespace lockstep::kernels
