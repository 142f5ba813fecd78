// What the [compute] section of a configuration decides.
#pragma once

namespace lockstep::kernels {

struct ComputeOptions {
  int threads =
      0;  // OpenMP threads of each rank; 0: OMP_NUM_THREADS, else the host's cores shared among its ranks
};

}  // namespace lockstep::kernels
