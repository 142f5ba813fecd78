#include "run/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "kernels/gemm.h"
#include "run/same_data.h"
#include "train/checkpoint_folder.h"

namespace lockstep::run {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// Whether a run of version 0.1 may go on with other bits than it would have had. BLIS's haswell kernels kept
// today's rule but for the exact mode's weight gradients of long blocks.
bool may_change_kernels(const SavedRun& saved, const config::RunConfig& run) {
  if (saved.blis_family.empty()) return false;
  const bool long_blocks =
      run.reduce.mode == reduce::Mode::kExact && run.train.batch_size / run.data.shards > kernels::kChunk;
  return saved.blis_family != "haswell" || long_blocks;
}

// The value of a key such as "model.layers.0.units", as JSON writes it.
std::string shown_value(const Json& resolved, std::string key) {
  std::ranges::replace(key, '.', '/');
  const Json::json_pointer place("/" + key);
  return resolved.contains(place) ? resolved.at(place).dump() : "not set";
}

// Reads a file, or the newest whole one of a folder of checkpoints. Collective.
SavedState read_state(const comm::Communicator& world, const std::string& file, const fs::path& folder,
                      report::Console& console) {
  SavedState state;
  std::string content;  // which rank 0 reads
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    if (folder.empty()) {
      state.name = file;
      try {
        content = read_file(file);
      } catch (const std::system_error& error) {
        throw ModelError(fmt::format("{}: cannot be read: {}, expected a checkpoint or latest", file,
                                     error.code().message()));
      }
      return;
    }
    train::FoundCheckpoint found = train::find_latest(folder);
    for (const std::string& line : found.skipped) console.warning(fmt::format("skipped {}", line));
    state.name = found.path.string();
    content = std::move(found.content);
  });
  world.broadcast(state.name, 0);
  world.broadcast(content, 0);
  world.all_or_none([&] {
    state.file = nn::SafetensorsFile::parse(std::move(content), state.name);
    train::expect_checkpoint(state.file, state.name);
    state.run = from_metadata(state.file.metadata, state.name);
    if (!state.run.trained_on.empty())
      state.origin = Origin{state.name, data::Schema::parse(state.run.trained_on, state.name)};
  });
  return state;
}

Resumed resumed_of(SavedState state, const Experiment& experiment) {
  train::Checkpoint checkpoint =
      train::parse_checkpoint(state.file, state.name, experiment.model().tensors());
  return {std::move(state.name), std::move(checkpoint), std::move(state.run)};
}

}  // namespace

std::optional<SavedState> open_resumed(const comm::Communicator& world, const std::string& resume,
                                       const fs::path& out, const LoadedConfig& loaded,
                                       report::Console& console) {
  if (resume.empty()) return std::nullopt;
  SavedState state = read_state(world, resume, resume == "latest" ? out / "checkpoints" : "", console);
  world.all_or_none([&] {
    const Json now = loaded.resolved, then = config::as_read_now(state.run.config, state.name);
    std::vector<std::string> different = config::different_keys(now, then);
    for (std::string& key : different)
      key = fmt::format("{} ({}, not {})", key, shown_value(then, key), shown_value(now, key));
    if (!different.empty())
      throw ConfigError(
          fmt::format("{0} is of another experiment, expected the same values of {1}; --resume-from {0} with "
                      "an --out of its "
                      "own begins a new run with its weights and momentum",
                      state.name, fmt::join(different, ", ")));
  });
  return state;
}

SavedState open_beginning(const comm::Communicator& world, const std::string& from,
                          report::Console& console) {
  std::string folder;
  std::error_code ignored;
  if (world.rank() == 0 && fs::is_directory(from, ignored))
    folder = (fs::path(from) / "checkpoints").string();
  return read_state(world, from, folder, console);
}

Resumed read_resumed(const comm::Communicator& world, SavedState state, const LoadedConfig& loaded,
                     const Experiment& experiment, report::Console& console) {
  const std::optional<Origin> origin = std::move(state.origin);
  Resumed resumed;
  world.all_or_none([&] {
    resumed = resumed_of(std::move(state), experiment);
    const std::size_t step = resumed.checkpoint.training.step, epochs = loaded.run.train.epochs,
                      steps = experiment.plan().steps_per_epoch();
    if (step > epochs * steps)
      throw ConfigError(fmt::format("{} has {} epochs done, and train.epochs is {}: expected at least {}",
                                    resumed.name, step / steps, epochs, (step + steps - 1) / steps));
    if (origin)
      expect_data_of(resumed.name, origin->trained_on.fingerprint, experiment.schema().fingerprint,
                     loaded.run.data);
  });
  if (may_change_kernels(resumed.run, loaded.run))
    console.warning(
        fmt::format("{} was computed with BLIS's {} kernels: from here on last bits are those of "
                    "every processor, and may differ from what those would give",
                    resumed.name, resumed.run.blis_family));
  if (!origin)
    console.line(fmt::format("{} does not say of which data it is: they are not compared", resumed.name));
  return resumed;
}

Resumed read_beginning(const comm::Communicator& world, SavedState state, const Experiment& experiment,
                       report::Console& console) {
  if (!state.origin)
    console.line(
        fmt::format("{} does not say what it was trained on: classes and statistics come from the training "
                    "data",
                    state.name));
  Resumed beginning;
  world.all_or_none([&] { beginning = resumed_of(std::move(state), experiment); });
  return beginning;
}

std::string describe_beginning(const Resumed& beginning, const train::Trainer& trainer) {
  const train::TrainingState& state = beginning.checkpoint.training;
  const char* momentum = trainer.takes_momentum_of(state) ? "weights and momentum"
                         : trainer.has_momentum()         ? "weights, no momentum yet,"
                         : !state.optimizer.empty()       ? "weights, without the momentum,"
                                                          : "weights";
  return fmt::format(
      "a new run with the {} of {}, after its step {}: steps, epochs and the learning rate's "
      "schedule begin anew",
      momentum, beginning.name, beginning.checkpoint.training.step);
}

std::vector<float> read_best_weights(const Resumed& resumed, const Experiment& experiment,
                                     report::Console& console) {
  const std::size_t epoch = resumed.run.record.best_epoch;
  if (epoch == 0) return {};
  if (resumed.checkpoint.training.step == epoch * experiment.plan().steps_per_epoch())
    return resumed.checkpoint.training.network();
  const fs::path file = fs::path(resumed.name).parent_path() / "best.safetensors";
  try {
    train::Checkpoint best =
        train::parse_checkpoint(read_file(file), file.string(), experiment.model().tensors());
    if (best.training.step == epoch * experiment.plan().steps_per_epoch()) return best.training.network();
  } catch (const std::exception&) {  // not whole, or not there
  }
  console.warning(
      fmt::format("{} does not have the weights of epoch {}, the best so far: unless a better one comes, "
                  "the model will be the last epoch's",
                  file.string(), epoch));
  return {};
}

}  // namespace lockstep::run
