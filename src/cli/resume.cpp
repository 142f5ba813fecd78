#include "cli/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "cli/same_data.h"
#include "kernels/gemm.h"
#include "train/checkpoint_folder.h"

namespace lockstep::cli {

namespace fs = std::filesystem;

namespace {

// Whether a run of version 0.1 may go on with other bits than it would have had. BLIS's haswell kernels kept
// today's rule but for the exact mode's weight gradients of long blocks.
bool may_change_kernels(const SavedRun& saved, const config::RunConfig& run) {
  if (saved.blis_family.empty()) return false;
  const bool long_blocks =
      run.reduce.mode == reduce::Mode::kExact && run.train.batch_size / run.data.shards > kernels::kChunk;
  return saved.blis_family != "haswell" || long_blocks;
}

// A checkpoint's content and the file that it is from, which rank 0 reads, or looks for in a folder of
// checkpoints. Collective.
struct Source {
  std::string name, content;
};
Source read_source(const comm::Communicator& world, const std::string& file, const fs::path& folder,
                   const std::vector<nn::Tensor>& tensors, report::Console& console) {
  Source source;
  world.together([&] {
    if (world.rank() != 0) return;
    if (folder.empty()) {
      source.name = file;
      try {
        source.content = read_file(source.name);
      } catch (const std::system_error& error) {
        throw ModelError(fmt::format("{}: cannot be read: {}, expected a checkpoint or latest", source.name,
                                     error.code().message()));
      }
      return;
    }
    train::FoundCheckpoint found = train::find_latest(folder, tensors);
    for (const std::string& line : found.skipped) console.warning(fmt::format("skipped {}", line));
    source.name = found.path.string();
    source.content = std::move(found.content);
  });
  world.broadcast(source.name, 0);
  world.broadcast(source.content, 0);
  return source;
}

Resumed parse_source(Source source, const std::vector<nn::Tensor>& tensors) {
  Resumed resumed;
  resumed.name = std::move(source.name);
  resumed.checkpoint = train::parse_checkpoint(std::move(source.content), resumed.name, tensors);
  resumed.run = from_metadata(resumed.checkpoint.run, resumed.name);
  return resumed;
}

}  // namespace

std::optional<Resumed> read_resumed(const comm::Communicator& world, const std::string& resume,
                                    const fs::path& out, const LoadedConfig& loaded,
                                    const Experiment& experiment, report::Console& console) {
  if (resume.empty()) return std::nullopt;
  const std::vector<nn::Tensor>& tensors = experiment.model().tensors();
  Source source = read_source(world, resume, resume == "latest" ? out / "checkpoints" : "", tensors, console);
  Resumed resumed;
  world.together([&] {
    resumed = parse_source(std::move(source), tensors);
    const auto different =
        config::different_keys(loaded.resolved, config::as_read_now(resumed.run.config, resumed.name));
    if (!different.empty())
      throw ConfigError(
          fmt::format("{0} is of another experiment, expected the same values of {1}; --resume-from {0} with "
                      "an --out of its "
                      "own begins a new run with its weights and momentum",
                      resumed.name, fmt::join(different, ", ")));
    const std::size_t step = resumed.checkpoint.training.step, epochs = loaded.run.train.epochs,
                      steps = experiment.plan().steps_per_epoch();
    if (step > epochs * steps)
      throw ConfigError(fmt::format("{} has {} epochs done, and train.epochs is {}: expected at least {}",
                                    resumed.name, step / steps, epochs, (step + steps - 1) / steps));
    if (!resumed.run.trained_on.empty())
      expect_data_of(resumed.name, data::Schema::parse(resumed.run.trained_on, resumed.name).fingerprint,
                     experiment.schema().fingerprint, loaded.run.data);
  });
  if (may_change_kernels(resumed.run, loaded.run))
    console.warning(
        fmt::format("{} was computed with BLIS's {} kernels: from here on last bits are those of "
                    "every processor, and may differ from what those would give",
                    resumed.name, resumed.run.blis_family));
  if (resumed.run.trained_on.empty())
    console.line(fmt::format("{} does not say of which data it is: they are not compared", resumed.name));
  return resumed;
}

Resumed read_beginning(const comm::Communicator& world, const std::string& from, const Experiment& experiment,
                       report::Console& console) {
  const std::vector<nn::Tensor>& tensors = experiment.model().tensors();
  std::string folder;
  std::error_code ignored;
  if (world.rank() == 0 && fs::is_directory(from, ignored))
    folder = (fs::path(from) / "checkpoints").string();
  Source source = read_source(world, from, folder, tensors, console);
  Resumed beginning;
  world.together([&] { beginning = parse_source(std::move(source), tensors); });
  return beginning;
}

std::string describe_beginning(const Resumed& beginning, const train::Trainer& trainer) {
  const bool found = !beginning.checkpoint.training.velocity.empty();
  const char* momentum = trainer.has_momentum() ? found ? "weights and momentum" : "weights, no momentum yet,"
                         : found                ? "weights, without the momentum,"
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
    return resumed.checkpoint.training.parameters;
  const fs::path file = fs::path(resumed.name).parent_path() / "best.safetensors";
  try {
    Resumed best = parse_source({file.string(), read_file(file)}, experiment.model().tensors());
    if (best.checkpoint.training.step == epoch * experiment.plan().steps_per_epoch())
      return best.checkpoint.training.parameters;
  } catch (const std::exception&) {  // not whole, or not there
  }
  console.warning(
      fmt::format("{} does not have the weights of epoch {}, the best so far: unless a better one comes, "
                  "the model will be the last epoch's",
                  file.string(), epoch));
  return {};
}

}  // namespace lockstep::cli
