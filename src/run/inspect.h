// What lockstep inspect says of each kind of thing, as lines of text. Errors are those of the readers, which
// name the path, what was found and what was expected.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "nn/safetensors.h"
#include "run/job.h"

namespace lockstep::run {

// Prints what a file or folder is, and what is in it: weights, a checkpoint, data, a configuration, a search,
// a run. overrides: values of the configuration, which then it must be. Throws CollectiveError. Collective.
void inspect(Job& job, const std::string& path, const std::vector<std::string>& overrides);

using Lines = std::vector<std::string>;

// Each tensor's type, shape and numbers, the hash of a network's weights; of a checkpoint also where the run
// stood.
Lines inspect_weights(const std::filesystem::path& path, const nn::SafetensorsFile& file);

// As summary.json has it; "" where the tensors are not a network's.
std::string weights_hash(const nn::SafetensorsFile& file);
// "weights 0123456789abcdef". Throws ModelError unless they are the expected ones, which summary.json has;
// "": any are.
std::string describe_weights(const std::filesystem::path& path, const nn::SafetensorsFile& file,
                             const std::string& expected);

// "step 14, epoch 2, weights 0123456789abcdef": of a checkpoint that is whole.
std::string describe_checkpoint(const nn::SafetensorsFile& file, const std::string& name);

// Samples, classes, and the numbers of each channel of the training set, or of the first of many without a
// name.
Lines inspect_data(const std::filesystem::path& path, const std::string& kind, const data::Dataset& dataset);
// "cifar10, 50000 training and 10000 test samples of 3072 features, 10 classes".
std::string describe_data(const data::DatasetInfo& info);

// A table whose last column is the target, or arrays with usual names: targets are classes or, where they
// cannot be, values.
std::unique_ptr<data::Dataset> open_samples(const std::filesystem::path& path, const char* dataset);

// The arrays of an .npz file or of a folder of .npy files, and the samples that they are where that is clear.
Lines inspect_arrays(const std::filesystem::path& path);

// What each column of a table is used as, and how many of its cells are missing; nothing of other data sets.
Lines describe_columns(const data::DatasetInfo& info);

// The data set, the network and the steps of a configuration, or the trials of a search.
Lines inspect_config(const std::filesystem::path& path, const std::string& text,
                     const std::vector<std::string>& overrides);

// "name             text".
std::string entry(const std::string& name, const std::string& text);
// "loss 1.21, accuracy 56.20%" of the split "train" or "test", as summary.json has it; a loss alone where the
// targets are values, "" without samples.
std::string describe_score(const nlohmann::ordered_json& summary, const std::string& split);

// The folder of a run: what it came to, what computed it, whether its checkpoints are whole.
Lines inspect_run(const std::filesystem::path& path);

}  // namespace lockstep::run
