// Weights to evaluate or to start from, and what they were trained on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "comm/communicator.h"
#include "nn/model.h"
#include "nn/safetensors.h"
#include "report/console.h"
#include "run/experiment.h"
#include "run/setup.h"

namespace lockstep::run {

class SavedNetwork {
 public:
  // From a model.safetensors, a checkpoint of any kind, or the folder of a run: its model, else its newest
  // whole checkpoint. Rank 0 reads. Throws CollectiveError where the file cannot be read or is not whole.
  // Collective.
  SavedNetwork(const std::filesystem::path& path, const comm::Communicator& communicator);

  // The file, for messages.
  const std::string& name() const { return name_; }

  // Nothing where the file does not say: another program's, or an older Lockstep's.
  const std::optional<Origin>& origin() const { return origin_; }

  // The arena. Throws CollectiveError, which names the tensor, where the file's are not this network's.
  // Collective.
  AlignedBuffer<float> parameters(const nn::Model& model, const comm::Communicator& communicator) const;

 private:
  std::string name_;
  nn::SafetensorsFile file_;  // on rank 0
  std::optional<Origin> origin_;
};

// A configuration and weights of its network, as a command line names them.
struct NamedNetwork {
  LoadedConfig config;        // whose train.init_from is where the weights are
  std::filesystem::path run;  // the folder of the run; empty: the configuration is a file
  bool own_weights = false;   // those that the run has

  // Says so where they are a checkpoint's because the run has no model yet. Throws CollectiveError.
  // Collective.
  SavedNetwork open(const comm::Communicator& communicator, report::Console& console) const;
};

// name: a TOML file, or the folder of a run. weights: a file, or best or latest, of the run; empty: the run's
// model, else its newest whole checkpoint, or what train.init_from says. Throws CollectiveError. Collective.
NamedNetwork load_named(const std::string& name, const std::vector<std::string>& overrides,
                        std::string weights, const comm::Communicator& communicator);

// The file that weights are taken from: a run folder's model, else its newest whole checkpoint; any other
// path as it is. Throws ModelError.
std::filesystem::path weights_file(const std::filesystem::path& path);

// The file of a run folder that `which` names: best, or latest, the newest whole checkpoint. Throws
// ModelError.
std::filesystem::path checkpoint_named(const std::string& which, const std::filesystem::path& run);

}  // namespace lockstep::run
