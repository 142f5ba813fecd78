// What the [compute] section of a configuration decides.
#pragma once

#include <string>

namespace lockstep::kernels {

struct ComputeOptions {
  int threads =
      0;  // OpenMP threads of each rank; 0: OMP_NUM_THREADS, else the host's cores shared among its ranks
  std::string kernels =
      "auto";  // BLIS's kernel family: one of kernel_families(), or the best that all ranks can run
  bool allow_mixed =
      true;  // with "auto": whether ranks whose processors differ may settle on a common family
};

}  // namespace lockstep::kernels
