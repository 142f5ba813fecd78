#include "cli/setup.h"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <system_error>

#include "base/affinity.h"
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

std::vector<std::string> placement(const comm::Communicator& world) {
  return world.gather(fmt::format("{}: {}", comm::host_name(), as_ranges(allowed_cores())), 0);
}

nlohmann::ordered_json provenance(const Compute& compute) {
  return {{"version", kVersion},
          {"compiler", kCompiler},
          {"flags", kCompilerFlags},
          {"blis_version", kernels::blis_version()},
          {"kernel_family", kernels::kernel_family()},
          {"kernel_choice", compute.reason},
          {"mpi", comm::library_version()}};
}

}  // namespace lockstep::cli
