// train --resume: the checkpoint to go on from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/experiment.h"
#include "cli/run_record.h"
#include "cli/setup.h"
#include "comm/communicator.h"
#include "report/console.h"
#include "train/checkpoint.h"

namespace lockstep::cli {

// A checkpoint to go on from, with where it came from.
struct Resumed {
  std::string name;
  train::Checkpoint checkpoint;
  SavedRun run;
};

// resume: a file, or "latest", the newest whole one of the run folder `out`; nothing where it is empty. Rank
// 0 reads, all ranks parse. Throws AgreedError where there is no whole checkpoint, or it is of another
// experiment or of other data. Collective.
std::optional<Resumed> read_resumed(const comm::Communicator& world, const std::string& resume,
                                    const std::filesystem::path& out, const LoadedConfig& loaded,
                                    const Experiment& experiment, report::Console& console);

}  // namespace lockstep::cli
