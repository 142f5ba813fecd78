#include "cli/setup.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/version.h"
#include "comm/session.h"
#include "kernels/blis_info.h"
#include "nn/initializer.h"
#include "nn/model_file.h"

namespace lockstep::cli {

LoadedConfig load_config(const comm::Communicator& world, const std::string& path,
                         const std::vector<std::string>& overrides) {
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
  LoadedConfig loaded;
  loaded.name = std::filesystem::path(path).stem().string();
  world.together([&] { loaded.run = config::parse(text, path, overrides, &loaded.resolved); });
  return loaded;
}

int choose_threads(const kernels::ComputeOptions& options, const comm::Communicator& world) {
  const int neighbours = world.ranks_on_this_host();
  if (options.threads > 0) return options.threads;
  if (std::getenv("OMP_NUM_THREADS") != nullptr) return omp_get_max_threads();
  return std::max(1, omp_get_num_procs() / neighbours);
}

data::Normalizer fit_normalizer(data::Normalization kind, const data::DatasetInfo& info,
                                const data::SampleStore& own_samples, const comm::Communicator& world) {
  std::vector<std::int64_t> sums = data::feature_sums(own_samples);
  world.allreduce_sum(sums);
  return {kind, info, sums, info.train_samples};
}

AlignedBuffer<float> initial_parameters(const config::RunConfig& run, const nn::Model& model) {
  AlignedBuffer<float> arena(model.parameters());
  if (!run.train.init_from.empty())
    nn::load_model(run.train.init_from, model.tensors(), arena.span());
  else
    nn::initialize(nn::Initializer::parse(run.model.init), model.tensors(), run.seed, arena.span());
  return arena;
}

std::string describe_run(const config::RunConfig& run, int ranks, int threads) {
  return fmt::format("{} rank{} x {} thread{}, BLIS {} ({} kernels), {}, seed {}", ranks,
                     ranks == 1 ? "" : "s", threads, threads == 1 ? "" : "s", kernels::blis_version(),
                     kernels::kernel_family(), run.data.dataset, run.seed);
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
