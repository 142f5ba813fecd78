#include "run/selftest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "kernels/kernel_set.h"
#include "run/experiment.h"
#include "run/published_runs.h"
#include "run/setup.h"

namespace lockstep::run {
namespace {

// Collective, as the next.
bool on_all_ranks(bool here, const comm::Communicator& world) {
  return world.allreduce_min(here ? 1 : 0) == 1;
}
bool on_any_rank(bool here, const comm::Communicator& world) { return !on_all_ranks(!here, world); }

// The kernels of all ranks in one round of runs: its name, and what this rank computes with.
struct Turn {
  std::string name;  // "avx2", or "mixed"
  kernels::KernelSet own;
};

// A turn for each kernel set that a rank can run, in which the others keep their best; one with every kind in
// one job; only this rank's own where LOCKSTEP_KERNELS pins it. Collective.
std::vector<Turn> turns_of(const comm::Communicator& world, const Compute& compute) {
  const std::vector<kernels::KernelSet> runnable = kernels::runnable_kernel_sets();
  const char* const pinned = std::getenv("LOCKSTEP_KERNELS");
  if (on_any_rank(pinned != nullptr && *pinned != '\0', world))
    return {{compute.kernel_names(), kernels::kernel_set_in_use()}};
  std::vector<Turn> turns;
  for (const kernels::KernelSet set : kernels::kKernelSets) {
    const bool here = std::ranges::find(runnable, set) != runnable.end();
    if (on_any_rank(here, world))
      turns.push_back({std::string(kernels::name(set)), here ? set : runnable.front()});
  }
  if (world.size() > 1 && turns.size() > 1)
    turns.push_back({"mixed", runnable[static_cast<std::size_t>(world.rank()) % runnable.size()]});
  return turns;
}

// Whether every rank sees the files that the run reads. Collective.
bool at_hand(const config::RunConfig& run, const comm::Communicator& world) {
  const auto files = data::files_of(run.data);
  std::error_code ignored;
  const bool here =
      std::ranges::all_of(files, [&](const auto& f) { return std::filesystem::exists(f, ignored); });
  return on_all_ranks(here, world);
}

// The run's weights as they are found: laid out as PublishedRun has them.
struct Found {
  std::vector<std::string> step_hashes;  // up to the first that is not the published one
  std::string weights_hash;              // empty where the run was not trained to its end
};

// Trains the run's first steps, and the others too where `whole`. Ends where a hash is not that of
// `published`, unless that is null. Collective.
Found train_and_hash(Job& job, const config::RunConfig& run, int threads, bool whole,
                     const PublishedRun* published) {
  const comm::Communicator& world = job.world;
  job.progress.enter(liveness::Activity::kSetUp);
  Experiment experiment(run, world, threads, job.supervision());
  train::Trainer& trainer = experiment.trainer();
  const auto hash = [&] { return hash_hex(std::as_bytes(trainer.parameters())); };
  const std::size_t steps = run.train.epochs * experiment.plan().steps_per_epoch();
  Found found;
  for (std::size_t step = 0;; ++step) {
    if (step <= kPublishedSteps) {
      found.step_hashes.push_back(hash());
      if (published != nullptr) {
        const auto& expected = published->step_hashes;
        const bool same = step < expected.size() && found.step_hashes[step] == expected[step];
        if (!on_all_ranks(same, world)) return found;
      }
    }
    if (step == steps) break;
    if (step == kPublishedSteps && !whole) return found;
    if (const train::StopRequests stop = trainer.step().stop; stop.by_signal())
      throw train::stopped(stop, "before all runs were compared");
  }
  found.weights_hash = hash();
  return found;
}

// What the weights found have to say against the published ones; "" where they are the same, as far as they
// go: they end early where another rank's differ.
std::string difference(const Found& found, const PublishedRun& published) {
  const bool to_the_end = !found.weights_hash.empty();
  const std::size_t most = to_the_end ? std::max(found.step_hashes.size(), published.step_hashes.size())
                                      : found.step_hashes.size();
  const auto hash_at = [](const std::vector<std::string>& hashes, std::size_t step) {
    return step < hashes.size() ? hashes[step] : "none";
  };
  for (std::size_t step = 0; step < most; ++step) {
    const std::string here = hash_at(found.step_hashes, step), there = hash_at(published.step_hashes, step);
    if (here != there)
      return fmt::format("{}: weights {}, published {}",
                         step == 0 ? "before the first step" : fmt::format("first at step {}", step), here,
                         there);
  }
  if (!to_the_end || found.weights_hash == published.weights_hash) return "";
  return fmt::format("after step {}, by the last: weights {}, published {}", most - 1, found.weights_hash,
                     published.weights_hash);
}

// What the first of the ranks whose weights differ says, and which that is unless it is rank 0; "" where they
// are the same on all. Collective.
std::string first_difference(const std::string& own, const comm::Communicator& world) {
  const auto differing = world.allreduce_min(own.empty() ? world.size() : world.rank());
  if (differing == world.size()) return "";
  std::string of_first = world.rank() == 0 ? own : fmt::format("on rank {}, {}", world.rank(), own);
  world.broadcast(of_first, static_cast<int>(differing));
  return of_first;
}

std::vector<PublishedRun> chosen_runs(const SelftestArguments& arguments, const comm::Communicator& world) {
  const std::string text =
      arguments.hashes.empty() ? std::string(published_list()) : read_on_first_rank(world, arguments.hashes);
  std::vector<PublishedRun> runs;
  world.all_or_none([&] {
    runs = parse_published_runs(text, arguments.hashes.empty() ? "results/hashes.json" : arguments.hashes);
    std::vector<std::string> names;
    for (const PublishedRun& run : runs) names.push_back(run.name);
    for (const std::string& name : arguments.names)
      if (std::ranges::find(names, name) == names.end())
        throw ConfigError(
            fmt::format("{} is not a published run, expected some of {}", name, fmt::join(names, ", ")));
    if (!arguments.names.empty())
      std::erase_if(runs, [&](const PublishedRun& run) {
        return std::ranges::find(arguments.names, run.name) == arguments.names.end();
      });
    for (const PublishedRun& run : runs)
      if (const std::size_t shards = run.config().data.shards;
          static_cast<std::size_t>(world.size()) > shards)
        throw ConfigError(fmt::format("selftest has {} ranks, expected at most {}, the shards of {}",
                                      world.size(), shards, run.name));
  });
  return runs;
}

// Computes every run's hashes anew, and writes the list.
void publish(Job& job, std::vector<PublishedRun> runs, int threads, const std::string& path) {
  for (PublishedRun& run : runs) {
    const Found found = train_and_hash(job, run.config(), threads, /*whole=*/true, nullptr);
    run.step_hashes = found.step_hashes;
    run.weights_hash = found.weights_hash;
  }
  job.world.all_or_none([&] {
    if (job.world.rank() == 0) writing(path, [&] { write_file_atomically(path, to_text(runs)); });
  });
}

}  // namespace

bool selftest(Job& job, const SelftestArguments& arguments) {
  const comm::Communicator& world = job.world;
  const std::vector<PublishedRun> runs = chosen_runs(arguments, world);
  const Compute compute = agree_on_compute({}, world);
  job.watch(config::RunConfig().watchdog_seconds);
  if (!arguments.write.empty()) {
    publish(job, runs, compute.threads, arguments.write);
    return true;
  }

  report::Console& console = job.console;
  const kernels::KernelSet usual = kernels::kernel_set_in_use();
  const std::vector<Turn> turns = turns_of(world, compute);
  std::vector<std::string> left_out, kernel_names;
  std::size_t compared = 0;
  bool same = true;
  for (const PublishedRun& run : runs) {
    const config::RunConfig config = run.config();
    if (!at_hand(config, world)) {
      left_out.push_back(run.name);
      continue;
    }
    ++compared;
    for (const Turn& turn : turns) {
      kernels::use_kernel_set(turn.own);
      const Found found = train_and_hash(job, config, compute.threads, arguments.whole, &run);
      const std::string differs = first_difference(difference(found, run), world);
      if (differs.empty()) continue;
      same = false;
      console.line(fmt::format("{} with {} kernels differs {}; lockstep train {}", run.name, turn.name,
                               differs, run.arguments()));
    }
  }
  kernels::use_kernel_set(usual);
  world.all_or_none([&] {
    if (compared == 0)
      throw DataError(fmt::format("{}: the data is not at hand, expected CIFAR-10 where CIFAR10_DIR says",
                                  fmt::join(left_out, ", ")));
  });
  for (const Turn& turn : turns) kernel_names.push_back(turn.name);
  const std::string missing =
      left_out.empty() ? ""
                       : fmt::format("; without {}, whose data is not at hand", fmt::join(left_out, ", "));
  if (same)
    console.line(fmt::format(
        "lockstep {}: {} run{} gave the published weights after every step, with {} kernels on {} "
        "rank{} x {} thread{}{}",
        kVersion, compared, compared == 1 ? "" : "s", fmt::join(kernel_names, ", "), world.size(),
        world.size() == 1 ? "" : "s", compute.threads, compute.threads == 1 ? "" : "s", missing));
  return same;
}

}  // namespace lockstep::run
