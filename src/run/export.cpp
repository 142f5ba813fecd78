#include "run/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "data/schema.h"
#include "nn/onnx.h"
#include "run/saved_network.h"
#include "run/setup.h"

namespace lockstep::run {
namespace {

// Names that other programs read as UTF-8.
std::string as_json(const std::vector<std::string>& names) {
  return nlohmann::json(names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> class_names(const data::DatasetInfo& info) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < info.classes; ++c) names.push_back(info.class_name(c));
  return names;
}

// In float32. Throws ConfigError where that would lose what the normalisation keeps: differences of numbers
// that lie far from 0, scales beyond float32.
void set_normalization(const data::Schema& trained, nn::OnnxSurroundings& around) {
  const data::Normalizer::Statistics statistics = trained.normalizer.statistics();
  around.shift.assign(statistics.shift.begin(), statistics.shift.end());
  around.scale.assign(statistics.scale.begin(), statistics.scale.end());
  around.shift_first = !trained.info.pixels;
  for (std::size_t j = 0; j < around.scale.size(); ++j) {
    const bool exact = around.shift[j] == statistics.shift[j] && around.scale[j] == statistics.scale[j];
    if (exact) continue;
    const data::DatasetInfo& info = trained.info;
    throw ConfigError(
        fmt::format("--onnx: feature {} is normalised as (v + {:.17g}) {:.17g}, which float32 cannot hold, "
                    "expected numbers of order 1",
                    info.channel_names.empty() ? std::to_string(j + 1) : info.channel_names[j],
                    statistics.shift[j], statistics.scale[j]));
  }
}

nn::OnnxSurroundings surroundings(const data::Schema& trained, std::span<const float> arena) {
  const data::DatasetInfo& info = trained.info;
  nn::OnnxSurroundings around;
  around.sample = {info.features()};
  if (info.image) around.sample = {info.image->channels, info.image->height, info.image->width};
  set_normalization(trained, around);
  around.target_scale = static_cast<float>(info.target_stddev);
  around.target_shift = static_cast<float>(info.target_mean);
  around.producer_version = kVersion;
  around.metadata = {{"trained_on", info.name}, {"weights_hash", hash_hex(std::as_bytes(arena))}};
  if (info.classes > 0) around.metadata["classes"] = as_json(class_names(info));
  if (!info.channel_names.empty())
    around.metadata[info.pixels ? "channels" : "features"] = as_json(info.channel_names);
  return around;
}

// "input (N, 3, 32, 32): pixels from 0 to 255".
std::string describe_input(const data::DatasetInfo& info, const nn::OnnxSurroundings& around) {
  const std::string what = info.pixels ? "pixels from 0 to 255"
                           : info.channel_names.empty()
                               ? "features as they are"
                               : fmt::format("{}", fmt::join(info.channel_names, ", "));
  return fmt::format("input (N, {}): {}", fmt::join(around.sample, ", "), what);
}

}  // namespace

void export_network(Job& job, const ExportArguments& arguments) {
  const comm::Communicator& world = job.world;
  if (arguments.onnx.empty())
    throw comm::CollectiveError(ExitCode::kConfig, "export: there is nothing to write, expected --onnx FILE");
  const NamedNetwork named = load_named(arguments.config, arguments.overrides, arguments.model, world);
  const config::RunConfig& run = named.config.run;
  job.watch(run.watchdog_seconds);
  const SavedNetwork saved = named.open(world, job.console);
  if (!saved.origin())
    throw comm::CollectiveError(
        ExitCode::kModel,
        fmt::format("{}: does not say what it was trained on, expected a file that Lockstep "
                    "trained, whose normalisation is known",
                    saved.name()));
  const data::Schema& trained = saved.origin()->trained_on;
  std::optional<nn::Model> model;
  world.all_or_none([&] { model = model_of(run, trained.info); });
  const AlignedBuffer<float> arena = saved.parameters(*model, world);
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    const nn::OnnxSurroundings around = surroundings(trained, arena.span());
    const std::string file = nn::onnx_file(run.model, *model, arena.span(), around);
    const liveness::Writing writing_file(&job.progress);
    writing(arguments.onnx, [&] { write_file_atomically(arguments.onnx, file); });
    job.console.line(fmt::format("{}: {}", arguments.onnx, describe_input(trained.info, around)));
    job.console.line(fmt::format("output (N, {}): {}", model->outputs(),
                                 trained.info.classes > 0
                                     ? fmt::format("{}", fmt::join(class_names(trained.info), ", "))
                                     : "the target"));
  });
}

}  // namespace lockstep::run
