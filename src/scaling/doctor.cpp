#include "scaling/doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/version.h"
#include "comm/background_sums.h"
#include "comm/session.h"
#include "data/dataset.h"
#include "kernels/kernel_set.h"
#include "reduce/bucketed_sum.h"
#include "run/affinity.h"
#include "run/compute.h"
#include "scaling/timing.h"

namespace lockstep::scaling {

namespace {

// A host of the job, as its first rank sees it.
struct Host {
  std::string name;
  std::int64_t ranks = 0, threads = 0, cores = 0;  // cores: those that any of its ranks may run on
};

// What every rank learns of its own host; rank 0 gets the list. Collective.
std::vector<Host> hosts_of(const comm::Communicator& world, int threads) {
  const comm::Communicator host = world.of_this_host();
  std::vector<std::int64_t> allowed(CPU_SETSIZE);
  for (const int core : run::allowed_cores()) allowed[static_cast<std::size_t>(core)] = 1;
  host.allreduce_max(allowed);
  const auto cores = std::count(allowed.begin(), allowed.end(), 1);
  std::int64_t all_threads[] = {threads};
  host.allreduce_sum(all_threads);
  const std::vector<std::string> names = world.gather(comm::host_name(), 0);
  const auto of_hosts = [&](std::int64_t x) { return world.allgather(host.rank() == 0 ? x : 0); };
  const auto host_ranks = of_hosts(host.size()), host_threads = of_hosts(all_threads[0]),
             host_cores = of_hosts(cores);
  std::vector<Host> hosts;
  for (std::size_t r = 0; r < names.size(); ++r)
    if (host_ranks[r] > 0) hosts.push_back({names[r], host_ranks[r], host_threads[r], host_cores[r]});
  return hosts;
}

class Doctor {
 public:
  Doctor(const comm::Communicator& world, report::Console& console) : world_(world), console_(console) {}

  void examine() {
    console_.line(
        fmt::format("lockstep {}, {}, BLIS {}", kVersion, comm::library_version(), kernels::blis_version()));
    const run::Compute compute = run::agree_on_compute({}, world_);
    examine_kernels(compute);
    examine_layout(compute);
    examine_network();
    examine_data();
    console_.line("");
    if (advice_.empty()) console_.line("nothing to change");
    for (const std::string& line : advice_) console_.line(fmt::format("change: {}", line));
  }

 private:
  void entry(const std::string& name, const std::string& text) {
    console_.line(fmt::format("{:<12}{}", name, text));
  }

  void examine_kernels(const run::Compute& compute) {
    entry("kernels", fmt::format("{} ({})", compute.kernel_names(), compute.reason));
    if (compute.kernel_names() != compute.kernels.front())
      entry("", fmt::format("of the ranks: {}", compute.kernels_of_ranks()));
    for (const std::string& note : compute.notes) entry("", note);
    std::vector<std::string> texts;
    double fastest = 0.0, chosen = 0.0;
    if (world_.rank() == 0) {
      for (const kernels::KernelSet set : kernels::runnable_kernel_sets()) {
        const double rate = kernels::measure_kernel_set(set);
        texts.push_back(fmt::format("{} {:.0f}", name(set), rate));
        fastest = std::max(fastest, rate);
        if (set == kernels::kernel_set_in_use()) chosen = rate;
      }
    }
    entry("",
          fmt::format("GFLOP/s of rank 0's core on products of a dense layer: {}", fmt::join(texts, ", ")));
    constexpr double kClearly = 1.1;
    if (fastest > kClearly * chosen)
      advice_.push_back(fmt::format("{} kernels are {:.1f} times slower than the fastest: {}",
                                    compute.kernels.front(), fastest / chosen,
                                    compute.reason == "LOCKSTEP_KERNELS"
                                        ? "without LOCKSTEP_KERNELS Lockstep takes the best"
                                        : "measure again on a quiet machine"));
  }

  void examine_layout(const run::Compute& compute) {
    const std::vector<Host> hosts = hosts_of(world_, compute.threads);
    const auto threads = world_.allgather(compute.threads),
               cores = world_.allgather(static_cast<std::int64_t>(run::allowed_cores().size()));
    if (world_.rank() != 0) return;
    entry("ranks", fmt::format("{} on {} host{}", world_.size(), hosts.size(), hosts.size() == 1 ? "" : "s"));
    for (const Host& host : hosts) {
      entry("", fmt::format("{}: {} rank{}, {} core{} to run on", host.name, host.ranks,
                            host.ranks == 1 ? "" : "s", host.cores, host.cores == 1 ? "" : "s"));
      if (host.threads > host.cores)
        advice_.push_back(fmt::format(
            "{} has {} threads on {} ranks for {} cores, and they take turns: fewer of them there", host.name,
            host.threads, host.ranks, host.cores));
      else if (host.threads < host.cores)
        advice_.push_back(
            fmt::format("{} has {} threads on {} ranks, and {} of its {} cores do nothing: more ranks there, "
                        "or --threads",
                        host.name, host.threads, host.ranks, host.cores - host.threads, host.cores));
    }
    entry("threads", fmt::format("{} a rank", fmt::join(threads, ", ")));
    for (std::size_t r = 0; r < threads.size(); ++r)
      if (cores[r] < threads[r])
        advice_.push_back(
            fmt::format("rank {} has {} threads and is bound to {} core{}: launch/run binds so that they fit",
                        r, threads[r], cores[r], cores[r] == 1 ? "" : "s"));
  }

  void examine_network() {
    if (world_.size() == 1) return entry("allreduce", "one rank: nothing to sum");
    entry("allreduce",
          fmt::format("{}; MPI allows {}sums in the background",
                      world_.on_one_host() ? "within one host" : "over the network between the hosts",
                      comm::BackgroundSums::possible() ? "" : "no "));
    console_.line(fmt::format("{:<12}{:>10}{:>14}{:>12}", "", "bytes", "microseconds", "MB/s"));
    constexpr std::size_t kMax = std::size_t{16} << 20;  // bytes
    for (std::size_t bytes = 4; bytes <= kMax; bytes *= 8) {
      std::vector<std::int32_t> x(bytes / sizeof(std::int32_t));
      const double seconds = seconds_of(world_, [&] { world_.allreduce_sum(std::span(x)); });
      console_.line(fmt::format("{:<12}{:>10}{:>14.1f}{:>12.1f}", "", bytes, 1e6 * seconds,
                                1e-6 * static_cast<double>(bytes) / seconds));
    }
    reduce::BucketedSum<std::int32_t> gradients(kMax / sizeof(std::int32_t), {}, world_, /*threads=*/1);
    gradients.finish();
    const double seconds = seconds_of(world_, [&] { gradients.finish(); });
    entry("gradients", fmt::format("16 MiB of them are summed in {:.1f} ms {}", 1e3 * seconds,
                                   gradients.in_memory()  ? "where they are, in memory that the ranks share"
                                   : gradients.overlaps() ? "by MPI, while backward goes on where it can"
                                   : world_.on_one_host() ? "by MPI: its ranks cannot see each other's memory"
                                                          : "by MPI"));
  }

  void examine_data() {
    std::string found, missing;
    if (world_.rank() == 0) {
      try {
        const data::DatasetInfo info = data::open_dataset({})->info();
        found = fmt::format("{}, {} training and {} test samples", info.name, info.train_samples,
                            info.test_samples);
      } catch (const Error& error) {
        missing = error.what();
      }
    }
    entry("data", missing.empty() ? found : missing);
    if (!missing.empty())
      advice_.emplace_back("launch/get-cifar10 downloads CIFAR-10, or CIFAR10_DIR says where it is");
  }

  const comm::Communicator& world_;
  report::Console& console_;
  std::vector<std::string> advice_;
};

}  // namespace

void doctor(run::Job& job) { Doctor(job.world, job.console).examine(); }

}  // namespace lockstep::scaling
