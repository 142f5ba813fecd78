#include "run/provenance.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/version.h"
#include "comm/session.h"
#include "kernels/kernel_set.h"

namespace lockstep::run {

nlohmann::ordered_json provenance() {
  return {{"version", kVersion},           {"commit", kCommit},
          {"build_type", kBuildType},      {"compiler", kCompiler},
          {"flags", kCompilerFlags},       {"blis_version", kernels::blis_version()},
          {"mpi", comm::library_version()}};
}

nlohmann::ordered_json provenance(const Compute& compute) {
  nlohmann::ordered_json all = provenance();
  all["kernel_family"] = compute.kernel_names();
  all["kernel_choice"] = compute.reason;
  all["kernels"] = compute.kernels_of_ranks();
  return all;
}

std::string version_text() {
  std::string text = fmt::format("lockstep {}", kVersion);
  const nlohmann::ordered_json all = provenance();
  for (const auto& [name, value] : all.items())
    if (name != "version") text += fmt::format("\n{:<17}{}", name, value.get<std::string>());
  text += fmt::format("\n{:<17}{}", "mpirun", kMpirun);
  std::vector<std::string_view> sets;
  for (const kernels::KernelSet set : kernels::runnable_kernel_sets()) sets.push_back(name(set));
  return text + fmt::format("\n{:<17}{}", "kernel_sets", fmt::join(sets, ", "));
}

}  // namespace lockstep::run
