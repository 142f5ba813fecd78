// train --resume: the checkpoint to go on from; train --resume-from: the one to begin a new run with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "report/console.h"
#include "run/experiment.h"
#include "run/run_record.h"
#include "run/setup.h"
#include "train/checkpoint.h"

namespace lockstep::run {

// A checkpoint as it was read, before there is a network to compare its tensors with.
struct SavedState {
  std::string name;  // of the file
  nn::SafetensorsFile file;
  SavedRun run;
  std::optional<Origin> origin;  // none in checkpoints that older versions wrote
};

// Reads the checkpoint of `resume`: a file, or "latest", the newest whole one of the run folder `out`;
// nothing where it is empty. Rank 0 reads, all ranks parse. Throws CollectiveError where there is no whole
// checkpoint, or it is of another experiment. Collective.
std::optional<SavedState> open_resumed(const comm::Communicator& world, const std::string& resume,
                                       const std::filesystem::path& out, const LoadedConfig& loaded,
                                       report::Console& console);

// Reads the checkpoint `from`, or the newest whole one of that run folder. Throws CollectiveError where there
// is none. Collective.
SavedState open_beginning(const comm::Communicator& world, const std::string& from, report::Console& console);

// A checkpoint of this network, with where it came from.
struct Resumed {
  std::string name;
  train::Checkpoint checkpoint;
  SavedRun run;
};

// To go on from it. Throws CollectiveError where it is of another network or of other data, or has more
// epochs done than there are to be. Collective.
Resumed read_resumed(const comm::Communicator& world, SavedState state, const LoadedConfig& loaded,
                     const Experiment& experiment, report::Console& console);

// For a new run with its weights and its momentum. Throws CollectiveError where it is of another network.
// Collective.
Resumed read_beginning(const comm::Communicator& world, SavedState state, const Experiment& experiment,
                       report::Console& console);

// What a new run takes over from it, in a line.
std::string describe_beginning(const Resumed& beginning, const train::Trainer& trainer);

// The weights of the best epoch of the run so far; empty where there was none, or they are not there any
// more, which is warned of. On rank 0.
std::vector<float> read_best_weights(const Resumed& resumed, const Experiment& experiment,
                                     report::Console& console);

}  // namespace lockstep::run
