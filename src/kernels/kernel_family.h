// Which of BLIS's kernel families computes the matrix products.
//
// Families differ in the last bits of their results, so all ranks of a run use one. BLIS itself would choose
// by the processor's name, which says nothing on virtual machines; here it is
// measured which is the fastest of those that the instruction set allows.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace lockstep::kernels {

std::string blis_version();

// The processor's vendor, family, model and stepping, as CPUID has them: "AuthenticAMD-00a10f11"; on
// processors other than x86-64 "any".
std::string processor_type();

// The families that can be chosen, slowest first: each one's processors can run those before it too. On
// processors other than x86-64 there is one choice, "auto": BLIS's own.
std::span<const std::string> kernel_families();

// Index into kernel_families() of the last one that this processor can run.
int best_kernel_family();

// The family that the user's BLIS_ARCH_TYPE selects, or "" where it is not set. Throws ConfigError where it
// is no number of a family that this processor can run.
std::string kernel_family_of_environment();

// GFLOP/s of one core on a few products as dense layers ask for them, with each of the families, all of which
// this processor can run: the best of several tries that take turns. In processor time, so that other
// programs on the machine hardly count. Measured in child processes, because BLIS can use one family a
// process; 0 where none can be started. About 40 ms a family.
std::vector<double> measure_kernel_families(std::span<const std::string> families);

// Index of the family to use, by what was measured. The families are listed as kernel_families() does; each
// must be at least a tenth faster than the choice among those before it: that much noise does not change the
// choice, and with it the last bits of a run's results.
std::size_t choose_kernel_family(std::span<const double> rates);

// Makes BLIS use the family, whatever BLIS_ARCH_TYPE says. Before the first product of the process; "auto"
// leaves the choice to BLIS.
void use_kernel_family(const std::string& name);

// The family in use, such as "haswell" or "skx". Initialises BLIS, which can use no other from then on.
std::string kernel_family();

}  // namespace lockstep::kernels
