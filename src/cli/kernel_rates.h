// How fast BLIS's kernel families are on this host: measured once, and remembered. Families differ in the
// last bits of their results, so which one is taken must not depend on what else the machine does when a run
// begins.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace lockstep::cli {

struct KernelRates {
  std::vector<double> gflops;  // of one core, a family each
  bool remembered = false;     // by an earlier process
};

// Where they are remembered: a file for each type of processor and version of BLIS, in
// $XDG_CACHE_HOME/lockstep, else ~/.cache/lockstep. Empty where the environment names neither.
std::filesystem::path kernel_rates_file();

// The rates of these families, all of which this processor can run. Of processes that measure at the same
// time the first is remembered, and believed by the others. A file that cannot be read, or is not of these
// families, is replaced; where none can be written, each process measures for itself.
KernelRates kernel_rates(std::span<const std::string> families);

}  // namespace lockstep::cli
