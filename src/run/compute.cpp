#include "run/compute.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/control_groups.h"
#include "base/error.h"
#include "kernels/kernel_set.h"
#include "run/affinity.h"

namespace lockstep::run {
namespace {

int choose_threads(const config::ComputeOptions& options, int ranks_on_this_host) {
  if (options.threads > 0) return options.threads;
  if (std::getenv("OMP_NUM_THREADS") != nullptr) return omp_get_max_threads();
  // A rank that mpirun has bound sees its own cores alone; one that it has not, all of them. A quota is for
  // all of a container's ranks.
  const int online = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  const int share = std::min(online, quota_cores().value_or(online)) / ranks_on_this_host;
  return std::max(1, std::min(omp_get_num_procs(), share));
}

constexpr std::int64_t kUnbound = CPU_SETSIZE;

// The cores that this rank was given of those that its host's ranks may run on; kUnbound if all. Collective.
std::int64_t cores_it_is_bound_to(const comm::Communicator& world) {
  std::vector<std::int64_t> allowed(CPU_SETSIZE);
  for (const int core : allowed_cores()) allowed[static_cast<std::size_t>(core)] = 1;
  const auto own = std::count(allowed.begin(), allowed.end(), 1);
  world.of_this_host().allreduce_max(allowed);
  return own < std::count(allowed.begin(), allowed.end(), 1) ? own : kUnbound;
}

// Throws ConfigError unless `asked`, which `what` says the source of, names a set that this processor can
// run.
kernels::KernelSet runnable_set(const std::string& what, const std::string& asked) {
  std::vector<std::string> names = {"auto"};
  for (const kernels::KernelSet set : kernels::runnable_kernel_sets()) {
    if (name(set) == asked) return set;
    names.emplace_back(name(set));
  }
  throw ConfigError(fmt::format("{} is \"{}\", expected one of {}, which the processor of {} can run", what,
                                asked, fmt::join(names, ", "), comm::host_name()));
}

}  // namespace

std::string Compute::kernel_names() const {
  std::vector<std::string> names = kernels;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return fmt::format("{}", fmt::join(names, " and "));
}

std::string Compute::kernels_of_ranks() const {
  const bool alike = std::count(kernels.begin(), kernels.end(), kernels.front()) ==
                     static_cast<std::ptrdiff_t>(kernels.size());
  return alike ? kernels.front() : fmt::format("{}", fmt::join(kernels, ", "));
}

Compute agree_on_compute(const config::ComputeOptions& options, const comm::Communicator& world) {
  Compute compute;
  compute.threads = choose_threads(options, world.of_this_host().size());
  const char* const variable = std::getenv("LOCKSTEP_KERNELS");
  const std::string of_host = variable == nullptr || *variable == '\0' ? "auto" : variable;
  kernels::KernelSet set = kernels::runnable_kernel_sets().front();
  world.all_or_none([&] {
    if (options.kernels != "auto") {
      set = runnable_set("compute.kernels", options.kernels);
      compute.reason = "compute.kernels";
    } else if (of_host != "auto") {
      set = runnable_set("LOCKSTEP_KERNELS", of_host);
      compute.reason = "LOCKSTEP_KERNELS";
    } else {
      compute.reason = "the best of this processor";
    }
  });
  use_kernel_set(set);
  for (const std::int64_t rank_set : world.allgather(static_cast<std::int64_t>(set)))
    compute.kernels.emplace_back(name(static_cast<kernels::KernelSet>(rank_set)));
  const auto slow = std::count(compute.kernels.begin(), compute.kernels.end(),
                               std::string(name(kernels::KernelSet::kPortable)));
  if (slow > 0)
    compute.notes.push_back(
        fmt::format("{} of {} rank{} compute{} with portable kernels: the same numbers, slowly", slow,
                    world.size(), world.size() == 1 ? "" : "s", slow == 1 ? "s" : ""));
  const std::int64_t bound = cores_it_is_bound_to(world);
  const std::int64_t least = world.allreduce_min(bound < compute.threads ? bound : kUnbound);
  if (least < kUnbound)
    compute.notes.push_back(fmt::format(
        "mpirun has bound ranks to {} core{}, on which their {} threads take turns: expected launch/run, "
        "or mpirun with --bind-to none",
        least, least == 1 ? "" : "s", compute.threads));
  return compute;
}

}  // namespace lockstep::run
