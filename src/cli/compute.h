// What the ranks compute with: threads and kernels, on which they agree when a command starts.
#pragma once

#include <string>

#include "comm/communicator.h"
#include "kernels/options.h"

namespace lockstep::cli {

struct Compute {
  int threads = 1;            // OpenMP threads of this rank
  std::string kernel_family;  // the same on all ranks
  std::string reason;         // why it is that one: "measured: haswell 96, skx 81 GFLOP/s a core"
  std::string note;           // of what is worth saying: that the ranks' machines differ
};

// Threads: compute.threads, else OMP_NUM_THREADS, else the cores that this rank may run on, shared among the
// host's ranks. Kernel family: compute.kernels, else the user's BLIS_ARCH_TYPE, else the fastest by
// measurement of those that every rank's processor can run. Throws AgreedError where a rank cannot run the
// family, or families differ and may not. Collective; once a process, before the first product.
Compute agree_on_compute(const kernels::ComputeOptions& options, const comm::Communicator& world);

// Takes another family after all, that of a run to go on with. Throws AgreedError where a rank cannot run it.
// Collective; before the first product.
void change_kernel_family(Compute& compute, const std::string& family, const comm::Communicator& world);

}  // namespace lockstep::cli
