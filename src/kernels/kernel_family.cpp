#include "kernels/kernel_family.h"

#include <blis.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

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

std::string kernel_family_of_environment() {
  const char* const text = std::getenv("BLIS_ARCH_TYPE");
  if (text == nullptr) return "";
  const auto runnable = kernel_families().first(static_cast<std::size_t>(best_kernel_family()) + 1);
  int id = -1;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), id);
  if (error == std::errc() && *end == '\0' && id >= 0 && id < BLIS_NUM_ARCHS)
    for (const std::string& family : runnable)
      if (bli_arch_string(static_cast<arch_t>(id)) == family) return family;
  throw ConfigError(fmt::format(
      "BLIS_ARCH_TYPE is \"{}\", expected BLIS's number of one of {}, which this processor can run", text,
      fmt::join(runnable, ", ")));
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
