// train --resume: the checkpoint to go on from; train --resume-from: the one to begin a new run with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

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
// experiment or of other data, or has more epochs done than there are to be. Collective.
std::optional<Resumed> read_resumed(const comm::Communicator& world, const std::string& resume,
                                    const std::filesystem::path& out, const LoadedConfig& loaded,
                                    const Experiment& experiment, report::Console& console);

// The checkpoint, or the newest whole one of the run folder `from`, for a new run with its weights and its
// momentum. Throws AgreedError where there is none, or it is of another network. Collective.
Resumed read_beginning(const comm::Communicator& world, const std::string& from, const Experiment& experiment,
                       report::Console& console);

// What a new run takes over from it, in a line.
std::string describe_beginning(const Resumed& beginning, const train::Trainer& trainer);

// The weights of the best epoch of the run so far; empty where there was none, or they are not there any
// more, which is warned of. On rank 0.
std::vector<float> read_best_weights(const Resumed& resumed, const Experiment& experiment,
                                     report::Console& console);

}  // namespace lockstep::cli
