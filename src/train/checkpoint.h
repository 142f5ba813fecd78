// A checkpoint: everything that a run goes on from, as one safetensors file with a checksum, which PyTorch
// and NumPy read.
//
// Tensors: the parameters by their names; of each arena that the optimizer keeps, "momentum." say and the
// name (optim/optimizer.h has its names); of an average "average." and the name; "reducer", the reducer's
// state. Metadata: "lockstep_checkpoint", the format's version; "state", a JSON object of step and epoch
// sums; and what the run adds of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nn/model.h"
#include "nn/safetensors.h"
#include "train/trainer.h"

namespace lockstep::train {

struct Checkpoint {
  TrainingState training;
  nn::TensorMetadata run;  // what the run keeps beside it; no key of ours
};

// Replace the file atomically. Throw std::system_error.
void save_checkpoint(const std::filesystem::path& path, const std::vector<nn::Tensor>& tensors,
                     const TrainingStateView& state, nn::TensorMetadata run);
void save_checkpoint(const std::filesystem::path& path, const std::vector<nn::Tensor>& tensors,
                     const Checkpoint& checkpoint);

// Throws ModelError, which names the file, unless it is a checkpoint of this version and every byte is right.
void expect_checkpoint(const nn::SafetensorsFile& file, const std::string& name);

// From a file, or its content. Throws ModelError, which names the file, where a byte is wrong or missing, the
// version is another one, or the tensors are not those of this network.
Checkpoint parse_checkpoint(const nn::SafetensorsFile& file, const std::string& name,
                            const std::vector<nn::Tensor>& tensors);
Checkpoint parse_checkpoint(std::string content, const std::string& name,
                            const std::vector<nn::Tensor>& tensors);

// The tensors of the network itself: of a checkpoint its average, or its parameters where it has none; of any
// other file all.
std::vector<nn::TensorView> network_tensors(const nn::SafetensorsFile& file);
std::vector<nn::TensorView> network_tensors(nn::SafetensorsFile&&) = delete;  // they point into it

// Whether the file is a checkpoint, whole or not; and the one that it holds, of whatever network. The latter
// throws as parse_checkpoint does.
bool is_checkpoint(const nn::SafetensorsFile& file);
Checkpoint parse_checkpoint(const nn::SafetensorsFile& file, const std::string& name);

}  // namespace lockstep::train
