// lockstep selftest: does this program, on this machine, give the weights that are published for short runs?
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/published_runs.h"
#include "cli/setup.h"
#include "kernels/kernel_set.h"
#include "report/console.h"

namespace lockstep::cli {
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

// Trains the run; hashes of the initial weights and after each step, up to the first that is not `expected`
// where that is not empty. Collective.
std::vector<std::string> train_and_hash(const config::RunConfig& run, const comm::Communicator& world,
                                        int threads, const std::vector<std::string>& expected) {
  Experiment experiment(run, world, threads);
  const std::size_t steps = run.train.epochs * experiment.plan().steps_per_epoch();
  std::vector<std::string> hashes;
  const auto goes_on = [&] {
    hashes.push_back(hash_hex(std::as_bytes(experiment.trainer().parameters())));
    const std::size_t i = hashes.size() - 1;
    const bool as_expected = expected.empty() || (i < expected.size() && hashes[i] == expected[i]);
    return on_all_ranks(as_expected, world);
  };
  for (std::size_t step = 0; goes_on() && step < steps; ++step) experiment.trainer().step();
  return hashes;
}

// The first of the hashes that is not the published one; nothing where all are.
std::optional<std::size_t> first_difference(const std::vector<std::string>& found,
                                            const std::vector<std::string>& published) {
  const std::size_t most = std::max(found.size(), published.size());
  for (std::size_t i = 0; i < most; ++i)
    if (i >= found.size() || i >= published.size() || found[i] != published[i]) return i;
  return std::nullopt;
}

std::vector<PublishedRun> chosen_runs(const SelftestArguments& arguments, const comm::Communicator& world) {
  const std::string text =
      arguments.hashes.empty() ? std::string(published_list()) : read_on_first_rank(world, arguments.hashes);
  std::vector<PublishedRun> runs;
  world.together([&] {
    runs = parse_published_runs(text, arguments.hashes.empty() ? "results/hashes.json" : arguments.hashes);
    std::vector<std::string> names;
    for (const PublishedRun& run : runs) names.push_back(run.name);
    for (const std::string& name : arguments.names)
      if (std::ranges::find(names, name) == names.end())
        throw ConfigError(
            fmt::format("{} is no published run, expected some of {}", name, fmt::join(names, ", ")));
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
void publish(std::vector<PublishedRun> runs, const comm::Communicator& world, int threads,
             const std::string& path) {
  for (PublishedRun& run : runs) run.step_hashes = train_and_hash(run.config(), world, threads, {});
  world.together([&] {
    if (world.rank() == 0) writing(path, [&] { write_file_atomically(path, to_text(runs)); });
  });
}

}  // namespace

bool selftest(const comm::Session& session, const SelftestArguments& arguments) {
  const comm::Communicator& world = session.world();
  const std::vector<PublishedRun> runs = chosen_runs(arguments, world);
  const Compute compute = agree_on_compute({}, world);
  if (!arguments.write.empty()) {
    publish(runs, world, compute.threads, arguments.write);
    return true;
  }

  report::Console console(world.rank() == 0);
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
      const std::vector<std::string> found = train_and_hash(config, world, compute.threads, run.step_hashes);
      const auto step = first_difference(found, run.step_hashes);
      if (!step) continue;
      same = false;
      const auto hash_at = [&](const std::vector<std::string>& hashes) {
        return *step < hashes.size() ? hashes[*step] : "none";
      };
      console.line(fmt::format(
          "{} with {} kernels differs {} of {}: weights {}, published {}; lockstep train {}", run.name,
          turn.name, *step == 0 ? "before step 1" : fmt::format("first at step {}", *step), run.steps(),
          hash_at(found), hash_at(run.step_hashes), run.arguments()));
    }
  }
  kernels::use_kernel_set(usual);
  for (const Turn& turn : turns) kernel_names.push_back(turn.name);
  const std::string missing =
      left_out.empty() ? ""
                       : fmt::format("; without {}, whose data is not at hand", fmt::join(left_out, ", "));
  if (same)
    console.line(
        fmt::format("lockstep {}: the published weights after every step of {} run{}, with {} kernels on {} "
                    "rank{} x {} thread{}{}",
                    kVersion, compared, compared == 1 ? "" : "s", fmt::join(kernel_names, ", "), world.size(),
                    world.size() == 1 ? "" : "s", compute.threads, compute.threads == 1 ? "" : "s", missing));
  return same;
}

}  // namespace lockstep::cli
