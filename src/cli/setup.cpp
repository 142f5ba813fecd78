#include "cli/setup.h"

#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/version.h"
#include "comm/session.h"
#include "kernels/kernel_family.h"
#include "nn/model_file.h"

namespace lockstep::cli {

std::string read_on_first_rank(const comm::Communicator& world, const std::string& path) {
  std::string text;
  world.together([&] {
    if (world.rank() != 0) return;
    try {
      text = read_file(path);
    } catch (const std::system_error& error) {
      throw ConfigError(fmt::format("{}: cannot be read: {}", path, error.code().message()));
    }
  });
  world.broadcast(text, 0);
  return text;
}

LoadedConfig load_config(const comm::Communicator& world, const std::string& path,
                         const std::vector<std::string>& overrides) {
  const std::string text = read_on_first_rank(world, path);
  LoadedConfig loaded;
  loaded.name = std::filesystem::path(path).stem().string();
  world.together([&] { loaded.run = config::parse(text, path, overrides, &loaded.resolved); });
  return loaded;
}

namespace {

int choose_threads(const kernels::ComputeOptions& options, int ranks_on_this_host) {
  if (options.threads > 0) return options.threads;
  if (std::getenv("OMP_NUM_THREADS") != nullptr) return omp_get_max_threads();
  // A rank that mpirun has bound sees its own cores alone; one that it has not, all of them.
  const int share = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)) / ranks_on_this_host;
  return std::max(1, std::min(omp_get_num_procs(), share));
}

// Makes all ranks use one kernel family. Returns a note where their machines differ.
std::string settle_kernel_family(const kernels::ComputeOptions& options, const comm::Communicator& world) {
  const auto families = kernels::kernel_families();
  const int best = kernels::best_kernel_family();
  if (options.kernels != "auto") {
    world.together([&] {
      const auto wanted = std::find(families.begin(), families.end(), options.kernels) - families.begin();
      if (wanted > best)
        throw ConfigError(
            fmt::format("compute.kernels is \"{}\", expected at most \"{}\", which is what this processor "
                        "can run",
                        options.kernels, families[static_cast<std::size_t>(best)]));
    });
    kernels::use_kernel_family(options.kernels);
    return "";
  }
  std::string users_choice;
  world.together([&] { users_choice = kernels::kernel_family_of_environment(); });
  std::string choice_of_first = users_choice;
  world.broadcast(choice_of_first, 0);
  world.together([&] {
    const auto text = [](const std::string& family) {
      return family.empty() ? "no kernels" : family + " kernels";
    };
    if (users_choice != choice_of_first)
      throw ConfigError(fmt::format("BLIS_ARCH_TYPE selects {}, expected {} as on rank 0", text(users_choice),
                                    text(choice_of_first)));
  });
  if (!users_choice.empty()) return "";
  const auto common = static_cast<std::size_t>(world.allreduce_min(best));
  const auto highest = static_cast<std::size_t>(-world.allreduce_min(-best));
  std::string note;
  if (common != highest) {
    note = fmt::format("the ranks' processors differ, from {} to {}: all use {} kernels", families[common],
                       families[highest], families[common]);
    world.together([&] {
      if (!options.allow_mixed)
        throw ConfigError(
            fmt::format("the ranks' processors differ, from {} to {} kernels, expected equal ones with "
                        "compute.allow_mixed = false: set compute.kernels to \"{}\"",
                        families[common], families[highest], families[common]));
    });
  }
  kernels::use_kernel_family(families[common]);
  return note;
}

}  // namespace

Compute agree_on_compute(const kernels::ComputeOptions& options, const comm::Communicator& world) {
  Compute compute;
  compute.threads = choose_threads(options, world.ranks_on_this_host());
  compute.note = settle_kernel_family(options, world);
  compute.kernel_family = kernels::kernel_family();
  return compute;
}

data::AllRanks all_ranks(const comm::Communicator& communicator) {
  return {.sum = [&](std::span<std::int64_t> x) { communicator.allreduce_sum(x); },
          .max = [&](std::span<std::int64_t> x) { communicator.allreduce_max(x); }};
}

AlignedBuffer<float> initial_parameters(const config::RunConfig& run, const nn::Model& model,
                                        const comm::Communicator& communicator) {
  AlignedBuffer<float> arena;
  const bool from_file = !run.train.init_from.empty();
  communicator.together([&] {
    arena = AlignedBuffer<float>(model.parameters());
    if (!from_file)
      nn::initialize(model.tensors(), run.seed, arena.span());
    else if (communicator.rank() == 0)
      nn::load_model(run.train.init_from, model.tensors(), arena.span());
  });
  if (from_file) communicator.broadcast(std::as_writable_bytes(arena.span()), 0);
  return arena;
}

void writing(const std::filesystem::path& path, const std::function<void()>& write) {
  try {
    write();
  } catch (const std::system_error& error) {
    throw ConfigError(fmt::format("{}: cannot be written: {}", path.string(), error.code().message()));
  }
}

double accuracy(const train::Score& score, const data::DatasetInfo& info) {
  return info.classes == 0 ? std::nan("") : score.accuracy();
}

std::string describe_run(const config::RunConfig& run, int ranks, const Compute& compute) {
  return fmt::format("{} rank{} x {} thread{}, BLIS {} ({} kernels), {}, seed {}, {} reduction", ranks,
                     ranks == 1 ? "" : "s", compute.threads, compute.threads == 1 ? "" : "s",
                     kernels::blis_version(), compute.kernel_family, run.data.dataset, run.seed,
                     run.reduce.mode == reduce::Mode::kExact ? "exact" : "float");
}

nlohmann::ordered_json provenance() {
  return {{"version", kVersion},
          {"compiler", kCompiler},
          {"flags", kCompilerFlags},
          {"blis_version", kernels::blis_version()},
          {"kernel_family", kernels::kernel_family()},
          {"mpi", comm::library_version()}};
}

}  // namespace lockstep::cli
