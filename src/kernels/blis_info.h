// What BLIS computes with: its version and the kernel family it chose for this processor.
#pragma once

#include <string>

namespace lockstep::kernels {

std::string blis_version();

// The family in use, such as "haswell" or "skx". Initialises BLIS.
std::string kernel_family();

}  // namespace lockstep::kernels
