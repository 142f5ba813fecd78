#include "cli/compute.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "cli/kernel_rates.h"
#include "kernels/kernel_family.h"

namespace lockstep::cli {
namespace {

int choose_threads(const kernels::ComputeOptions& options, int ranks_on_this_host) {
  if (options.threads > 0) return options.threads;
  if (std::getenv("OMP_NUM_THREADS") != nullptr) return omp_get_max_threads();
  // A rank that mpirun has bound sees its own cores alone; one that it has not, all of them.
  const int share = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)) / ranks_on_this_host;
  return std::max(1, std::min(omp_get_num_procs(), share));
}

std::size_t index_of(const std::string& family) {
  const auto families = kernels::kernel_families();
  return static_cast<std::size_t>(std::find(families.begin(), families.end(), family) - families.begin());
}

// What the environment asks for, alike on all ranks; "" where it is silent. Collective.
std::string users_family(const comm::Communicator& world) {
  std::string own;
  world.together([&] { own = kernels::kernel_family_of_environment(); });
  std::string of_first = own;
  world.broadcast(of_first, 0);
  world.together([&] {
    const auto text = [](const std::string& family) {
      return family.empty() ? "no kernels" : family + " kernels";
    };
    if (own != of_first)
      throw ConfigError(
          fmt::format("BLIS_ARCH_TYPE selects {}, expected {} as on rank 0", text(own), text(of_first)));
  });
  return own;
}

// Index of the last family that every rank's processor can run. Sets the note where they differ. Collective.
std::size_t common_family(bool allow_mixed, const comm::Communicator& world, std::string& note) {
  const auto families = kernels::kernel_families();
  const int best = kernels::best_kernel_family();
  const auto common = static_cast<std::size_t>(world.allreduce_min(best));
  const auto highest = static_cast<std::size_t>(-world.allreduce_min(-best));
  if (common == highest) return common;
  note = fmt::format("the ranks' processors differ, from {} to {}: all use {} kernels at most",
                     families[common], families[highest], families[common]);
  world.together([&] {
    if (!allow_mixed)
      throw ConfigError(
          fmt::format("the ranks' processors differ, from {} to {} kernels, expected equal ones with "
                      "compute.allow_mixed = false: set compute.kernels to \"{}\"",
                      families[common], families[highest], families[common]));
  });
  return common;
}

// The fastest family up to `last`, by the slowest measurement; one rank of each host measures. Sets `reason`.
// Collective.
std::string fastest_family(std::size_t last, const comm::Communicator& world, bool measures,
                           std::string& reason) {
  constexpr const char* kFirst = "haswell";  // those before it are for processors that run nothing later
  const auto all = kernels::kernel_families();
  const std::size_t first = std::min(last, index_of(kFirst));
  const auto families = all.subspan(first, last - first + 1);
  if (families.size() == 1) {
    reason = "the latest that the processor can run";
    return families.front();
  }
  KernelRates known{std::vector<double>(families.size(), INFINITY)};
  if (measures) known = kernel_rates(families);
  std::vector<double>& rates = known.gflops;
  std::vector<std::string> texts;
  for (std::size_t f = 0; f < families.size(); ++f) {
    constexpr double kUnit = 1e-3;  // what ranks agree on is an integer
    constexpr double kMost = 1e9;
    rates[f] =
        kUnit * static_cast<double>(world.allreduce_min(std::llround(std::min(rates[f], kMost) / kUnit)));
    texts.push_back(fmt::format("{} {:.0f}", families[f], rates[f]));
  }
  reason =
      fmt::format("measured{}: {} GFLOP/s a core", known.remembered ? " before" : "", fmt::join(texts, ", "));
  return families[kernels::choose_kernel_family(rates)];
}

// Throws unless every rank's processor can run the family; `what` names it.
void require_runnable(const std::string& family, const std::string& what, const comm::Communicator& world) {
  const auto best = static_cast<std::size_t>(kernels::best_kernel_family());
  world.together([&] {
    if (index_of(family) > best)
      throw ConfigError(
          fmt::format("{} \"{}\", expected at most \"{}\", which is what this processor can run", what,
                      family, kernels::kernel_families()[best]));
  });
}

}  // namespace

Compute agree_on_compute(const kernels::ComputeOptions& options, const comm::Communicator& world) {
  Compute compute;
  const comm::Communicator host = world.of_this_host();
  compute.threads = choose_threads(options, host.size());
  if (options.kernels != "auto") {
    require_runnable(options.kernels, "compute.kernels is", world);
    compute.kernel_family = options.kernels;
    compute.reason = "compute.kernels";
  } else if (std::string family = users_family(world); !family.empty()) {
    compute.kernel_family = std::move(family);
    compute.reason = "BLIS_ARCH_TYPE";
  } else {
    const std::size_t common = common_family(options.allow_mixed, world, compute.note);
    compute.kernel_family = fastest_family(common, world, host.rank() == 0, compute.reason);
  }
  kernels::use_kernel_family(compute.kernel_family);
  if (compute.kernel_family == "auto") compute.kernel_family = kernels::kernel_family();
  return compute;
}

void change_kernel_family(Compute& compute, const std::string& family, const comm::Communicator& world) {
  require_runnable(family, "the run's kernels are", world);
  compute.kernel_family = family;
  compute.reason = "as before";
  kernels::use_kernel_family(family);
}

}  // namespace lockstep::cli
