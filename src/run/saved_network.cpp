#include "run/saved_network.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "base/error.h"
#include "nn/model_file.h"
#include "run/run_place.h"
#include "train/checkpoint.h"
#include "train/checkpoint_folder.h"

namespace lockstep::run {

namespace fs = std::filesystem;

SavedNetwork::SavedNetwork(const fs::path& path, const comm::Communicator& communicator) {
  std::string schema;
  communicator.all_or_none([&] {
    if (communicator.rank() != 0) return;
    const fs::path file = weights_file(path);
    name_ = file.string();
    file_ = nn::SafetensorsFile::read(file);
    if (train::is_checkpoint(file_)) file_.check_checksum(name_);
    if (const auto entry = file_.metadata.find(data::Schema::kKey); entry != file_.metadata.end())
      schema = entry->second;
  });
  communicator.broadcast(name_, 0);
  communicator.broadcast(schema, 0);
  communicator.all_or_none([&] {
    if (!schema.empty()) origin_ = Origin{name_, data::Schema::parse(schema, name_)};
  });
}

AlignedBuffer<float> SavedNetwork::parameters(const nn::Model& model,
                                              const comm::Communicator& communicator) const {
  AlignedBuffer<float> arena;
  communicator.all_or_none([&] {
    arena = AlignedBuffer<float>(model.parameters());
    if (communicator.rank() == 0)
      nn::load_model(train::network_tensors(file_), name_, model.tensors(), arena.span());
  });
  communicator.broadcast(std::as_writable_bytes(arena.span()), 0);
  return arena;
}

SavedNetwork NamedNetwork::open(const comm::Communicator& communicator, report::Console& console) const {
  SavedNetwork saved(config.run.init_from, communicator);
  if (own_weights && saved.name() != (run / "model.safetensors").string())
    console.line(fmt::format("no model.safetensors yet: these are the weights of {}", saved.name()));
  return saved;
}

NamedNetwork load_named(const std::string& name, const std::vector<std::string>& overrides,
                        std::string weights, const comm::Communicator& communicator) {
  std::string config = name;
  const bool own_weights = weights.empty();
  communicator.all_or_none([&] {
    std::error_code ignored;
    if (communicator.rank() != 0) return;
    if (fs::status(name, ignored).type() == fs::file_type::not_found)
      throw ConfigError(
          fmt::format("{}: no such file or folder, expected a configuration or the folder of a run", name));
    if (!fs::is_directory(name, ignored)) return;
    if (weights == "best" || weights == "latest")
      weights = checkpoint_named(weights, name).string();
    else if (weights.empty())
      weights = name;
    config += "/config.toml";
  });
  communicator.broadcast(config, 0);
  communicator.broadcast(weights, 0);
  const bool of_run = config != name;
  NamedNetwork named{load_config(communicator, config, overrides), of_run ? name : "", of_run && own_weights};
  std::filesystem::path& from = named.config.run.init_from;
  if (!weights.empty()) from = weights;
  if (from.empty()) {
    const fs::path usual = fs::path("runs") / named.config.name;
    throw comm::CollectiveError(
        ExitCode::kConfig,
        fmt::format("{} names no weights: expected --model FILE, train.init_from, or the folder of a run{}",
                    config, found_run(usual) ? " in its place, such as " + usual.string() : ""));
  }
  return named;
}

fs::path weights_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  const fs::path model = path / "model.safetensors";
  return fs::exists(model, ignored) ? model : checkpoint_named("latest", path);
}

fs::path checkpoint_named(const std::string& which, const fs::path& run) {
  const fs::path checkpoints = run / "checkpoints";
  if (which == "latest") return train::find_latest(checkpoints).path;
  const fs::path best = checkpoints / "best.safetensors";
  std::error_code error;
  if (!fs::exists(best, error))
    throw ModelError(
        fmt::format("{}: there is no such file, expected the checkpoint of the best epoch", best.string()));
  return best;
}

}  // namespace lockstep::run
