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

}  // namespace

std::optional<Resumed> read_resumed(const comm::Communicator& world, const std::string& resume,
                                    const fs::path& out, const LoadedConfig& loaded,
                                    const Experiment& experiment, report::Console& console) {
  if (resume.empty()) return std::nullopt;
  const std::vector<nn::Tensor>& tensors = experiment.model().tensors();
  Resumed resumed;
  std::string content;
  world.together([&] {
    if (world.rank() != 0) return;
    if (resume != "latest") {
      resumed.name = resume;
      try {
        content = read_file(resumed.name);
      } catch (const std::system_error& error) {
        throw ModelError(fmt::format("{}: cannot be read: {}, expected a checkpoint or latest", resumed.name,
                                     error.code().message()));
      }
      return;
    }
    train::FoundCheckpoint found = train::find_latest(out / "checkpoints", tensors);
    for (const std::string& line : found.skipped) console.warning(fmt::format("skipped {}", line));
    resumed.name = found.path.string();
    content = std::move(found.content);
  });
  world.broadcast(resumed.name, 0);
  world.broadcast(content, 0);
  world.together([&] {
    resumed.checkpoint = train::parse_checkpoint(std::move(content), resumed.name, tensors);
    resumed.run = from_metadata(resumed.checkpoint.run, resumed.name);
    const auto different = config::different_keys(loaded.resolved, resumed.run.config);
    if (!different.empty())
      throw ConfigError(fmt::format("{} is of another experiment, expected the same values of {}",
                                    resumed.name, fmt::join(different, ", ")));
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

}  // namespace lockstep::cli
