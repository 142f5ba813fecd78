#include "run/setup.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "kernels/kernel_set.h"
#include "run/affinity.h"

namespace lockstep::run {

std::string read_on_first_rank(const comm::Communicator& world, const std::string& path) {
  std::string text;
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    try {
      if (std::filesystem::is_directory(path))
        throw ConfigError(
            fmt::format("{}: is a folder, expected a TOML file{}", path,
                        std::filesystem::exists(path + "/config.toml") ? ", such as its config.toml" : ""));
      text = read_file(path);
    } catch (const std::system_error& error) {
      const bool missing = error.code() == std::errc::no_such_file_or_directory;
      throw ConfigError(fmt::format("{}: cannot be read: {}{}", path, error.code().message(),
                                    missing ? ", expected a TOML file, such as lockstep configs lists" : ""));
    }
    if (text.find('\0') != std::string::npos)
      throw ConfigError(fmt::format("{}: is not text, expected a TOML file", path));
  });
  world.broadcast(text, 0);
  return text;
}

namespace {

// The record of a run can be used from any folder, as the usual one of a data set; what the run reads itself
// is relative to where it was started, as it was given.
void keep_paths_absolute(const data::DataOptions& data, nlohmann::ordered_json& resolved) {
  const char* const variable = std::getenv("CIFAR10_DIR");
  const bool by_variable = data.dataset == "cifar10" && variable != nullptr && *variable != '\0';
  if (resolved["data"].contains("dir") && data.dir.empty() && data.dataset != "images" && !by_variable)
    resolved["data"]["dir"] = data::files_of(data).front().parent_path().string();
  for (const auto& [section, key] : {std::pair("data", "dir"), std::pair("data", "file"),
                                     std::pair("data", "test_file"), std::pair("train", "init_from")}) {
    if (!resolved[section].contains(key)) continue;
    const auto path = resolved[section][key].get<std::string>();
    if (!path.empty()) resolved[section][key] = std::filesystem::absolute(path).lexically_normal().string();
  }
}

}  // namespace

LoadedConfig load_config(const comm::Communicator& world, const std::string& path,
                         const std::vector<std::string>& overrides) {
  const std::string text = read_on_first_rank(world, path);
  LoadedConfig loaded;
  loaded.name = std::filesystem::path(path).stem().string();
  world.all_or_none([&] {
    loaded.run = config::parse(text, path, overrides, &loaded.resolved);
    keep_paths_absolute(loaded.run.data, loaded.resolved);
  });
  return loaded;
}

data::AllRanks all_ranks(const comm::Communicator& communicator) {
  return {.sum = [&](std::span<std::int64_t> x) { communicator.allreduce_sum(x); },
          .max = [&](std::span<std::int64_t> x) { communicator.allreduce_max(x); }};
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
  return fmt::format("{} rank{} x {} thread{}, {} kernels, {}, seed {}, {} reduction", ranks,
                     ranks == 1 ? "" : "s", compute.threads, compute.threads == 1 ? "" : "s",
                     compute.kernel_names(), run.data.dataset, run.seed,
                     run.reduce.mode == reduce::Mode::kExact ? "exact" : "float");
}

std::vector<std::string> layer_table(const nn::Model& model) {
  std::vector<std::string> descriptions = {"layer"};
  for (std::size_t l = 0; l < model.layers().size(); ++l)
    descriptions.push_back(model.layers()[l]->description() +
                           (model.name(l).empty() ? "" : fmt::format(" ({})", model.name(l))));
  std::size_t width = 26;
  for (const std::string& description : descriptions) width = std::max(width, description.size());

  const auto line = [&](const std::string& description, const auto& outputs, const auto& parameters) {
    return fmt::format("{:<{}}{:>10}{:>14}", description, width + 2, outputs, parameters);
  };
  std::vector<std::string> lines = {line(descriptions[0], "outputs", "parameters")};
  for (std::size_t l = 0; l < model.layers().size(); ++l) {
    std::size_t parameters = 0;
    for (const auto& tensor : model.layers()[l]->tensors()) {
      std::size_t size = 1;
      for (const std::size_t n : tensor.shape) size *= n;
      parameters += size;
    }
    lines.push_back(line(descriptions[l + 1], model.layers()[l]->outputs(), parameters));
  }
  return lines;
}

std::string describe_rates(const config::RunConfig& run) {
  using Rule = config::RateScaling::Rule;
  const config::RateScaling& scaling = run.rate_scaling;
  if (scaling.rule == Rule::kNone) return "";
  return fmt::format(R"(learning rates x {:.6g}: train.scale_rate is "{}", batch {} instead of {})",
                     scaling.factor, scaling.rule == Rule::kLinear ? "linear" : "sqrt", run.train.batch_size,
                     scaling.base_batch_size);
}

std::string describe_steps(const data::DatasetInfo& info, const data::ShardPlan& plan, std::size_t batch) {
  return fmt::format(
      "{} training samples in {} shards, batch {} = {} x {}, {} steps per epoch; {} test samples",
      info.train_samples, plan.shards(), batch, plan.shards(), plan.micro_batch(), plan.steps_per_epoch(),
      info.test_samples);
}

std::vector<std::string> placement(const comm::Communicator& world) {
  return world.gather(fmt::format("{}: {}", comm::host_name(), as_ranges(allowed_cores())), 0);
}

}  // namespace lockstep::run
