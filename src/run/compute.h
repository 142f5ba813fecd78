// What the ranks compute with: threads and kernels, which are settled when a command starts.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"
#include "config/run_options.h"

namespace lockstep::run {

struct Compute {
  int threads = 1;                   // OpenMP threads of this rank
  std::vector<std::string> kernels;  // the name of each rank's kernel set
  std::string reason;                // why this rank has its own: "the best of this processor"
  std::vector<std::string> notes;    // on what is slow: a processor, threads that share a core

  // The names, each once: "avx512", or "avx2 and avx512" where ranks differ.
  std::string kernel_names() const;
  // The ranks' names in their order, one where they are alike: "avx512", or "avx2, avx512, avx512".
  std::string kernels_of_ranks() const;
};

// Threads: compute.threads, else OMP_NUM_THREADS, else the cores that this rank may run on, and that a
// container's CPU quota leaves, shared among the host's ranks. Kernels: compute.kernels, else the
// environment's LOCKSTEP_KERNELS, else the best that the rank's processor can run; ranks may differ, for the
// bits do not. Throws CollectiveError where a rank's processor cannot run what is asked for. Collective; no
// product may be under way.
Compute agree_on_compute(const config::ComputeOptions& options, const comm::Communicator& world);

}  // namespace lockstep::run
