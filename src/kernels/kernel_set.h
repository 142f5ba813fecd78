// Which kernels compute the matrix products of this process.
//
// All keep gemm.h's rule and give equal bits: a choice changes the speed, and nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lockstep::kernels {

enum class KernelSet {
  kAvx512,    // x86-64: own tiles
  kAvx2,      // x86-64 with FMA: own tiles
  kNeon,      // 64-bit Arm: BLIS
  kPortable,  // plain loops: slow, and slower still where the processor has no fused multiply-add
};
// The faster ones first.
inline constexpr KernelSet kKernelSets[] = {KernelSet::kAvx512, KernelSet::kAvx2, KernelSet::kNeon,
                                            KernelSet::kPortable};

// "avx512", "avx2", "neon", "portable"
std::string_view name(KernelSet set);

// Those that this processor can run, as kKernelSets has them. The first is the best: AVX-512 is no slower
// than AVX2 where a processor works on its vectors by halves.
std::vector<KernelSet> runnable_kernel_sets();

// The set of products from now on; the best until then. Requires: runnable, and no product under way.
void use_kernel_set(KernelSet set);
KernelSet kernel_set_in_use();

// GFLOP/s of one core on a forward and a weight gradient's product of a dense layer: the best of several
// tries, in processor time, so that other programs on the machine hardly count. Requires: runnable.
double measure_kernel_set(KernelSet set);

std::string blis_version();

}  // namespace lockstep::kernels
