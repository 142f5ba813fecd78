#include "cli/provenance.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/version.h"
#include "comm/session.h"
#include "kernels/kernel_family.h"

namespace lockstep::cli {

nlohmann::ordered_json provenance() {
  return {{"version", kVersion},           {"commit", kCommit},
          {"build_type", kBuildType},      {"compiler", kCompiler},
          {"flags", kCompilerFlags},       {"blis_version", kernels::blis_version()},
          {"mpi", comm::library_version()}};
}

nlohmann::ordered_json provenance(const Compute& compute) {
  nlohmann::ordered_json all = provenance();
  all["kernel_family"] = kernels::kernel_family();
  all["kernel_choice"] = compute.reason;
  return all;
}

std::string version_text() {
  std::string text = fmt::format("lockstep {}", kVersion);
  const nlohmann::ordered_json all = provenance();
  for (const auto& [name, value] : all.items())
    if (name != "version") text += fmt::format("\n{:<17}{}", name, value.get<std::string>());
  return text + fmt::format("\n{:<17}{}", "kernel_families", fmt::join(kernels::kernel_families(), ", "));
}

}  // namespace lockstep::cli
