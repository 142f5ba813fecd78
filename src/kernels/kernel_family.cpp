#include "kernels/kernel_family.h"

#include <blis.h>

#include <array>
#include <cstdlib>

namespace lockstep::kernels {
namespace {

#ifdef __x86_64__
const std::array<std::string, 5> kFamilies = {"generic", "penryn", "sandybridge", "haswell", "skx"};
#else
const std::array<std::string, 1> kFamilies = {"auto"};
#endif

}  // namespace

std::string blis_version() { return bli_info_get_version_str(); }

std::span<const std::string> kernel_families() { return kFamilies; }

int best_kernel_family() {
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (avx512) return 4;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 3;
  if (__builtin_cpu_supports("avx")) return 2;
  if (__builtin_cpu_supports("sse3")) return 1;
#endif
  return 0;
}

void use_kernel_family(const std::string& name) {
  for (int id = 0; id < BLIS_NUM_ARCHS; ++id)
    if (bli_arch_string(static_cast<arch_t>(id)) == name)
      ::setenv("BLIS_ARCH_TYPE", std::to_string(id).c_str(), /*overwrite=*/1);
}

std::string kernel_family() {
  bli_init();
  return bli_arch_string(bli_arch_query_id());
}

}  // namespace lockstep::kernels
