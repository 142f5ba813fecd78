// What every command sets up from a configuration, in the same way on every rank.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "comm/communicator.h"
#include "config/run_config.h"
#include "data/dataset.h"
#include "data/normalizer.h"
#include "data/shard_plan.h"
#include "nn/model.h"
#include "run/compute.h"

namespace lockstep::run {

// A configuration and where it came from.
struct LoadedConfig {
  config::RunConfig run;
  nlohmann::ordered_json resolved;  // every key's value
  std::string name;                 // of the file, without folder and ending
};

// The file's content, which rank 0 reads. Throws CollectiveError. Collective.
std::string read_on_first_rank(const comm::Communicator& world, const std::string& path);

// Rank 0 reads the file, every rank parses it. Throws CollectiveError. Collective.
LoadedConfig load_config(const comm::Communicator& world, const std::string& path,
                         const std::vector<std::string>& overrides);

// How the ranks put their statistics together.
data::AllRanks all_ranks(const comm::Communicator& communicator);

// Runs a write to a file or folder; what the system says of a failure becomes a ConfigError that names it.
void writing(const std::filesystem::path& path, const std::function<void()>& write);

// NaN where the targets are values.
double accuracy(const train::Score& score, const data::DatasetInfo& info);

// "2 ranks x 1 thread, BLIS 0.9.0 (avx2 kernels), cifar10, seed 1, exact reduction".
std::string describe_run(const config::RunConfig& run, int ranks, const Compute& compute);

// A line for each layer, below a header: what it is, its outputs and its parameters.
std::vector<std::string> layer_table(const nn::Model& model);

// "50000 training samples in 8 shards, batch 128 = 8 x 16, 391 steps per epoch; 10000 test samples".
std::string describe_steps(const data::DatasetInfo& info, const data::ShardPlan& plan, std::size_t batch);

// What the configuration's learning rates are multiplied by, and why; "" where they are as they stand.
std::string describe_rates(const config::RunConfig& run);

// Where each rank runs, by rank: its host and the cores it may run on, "node1: 0-3"; nothing on other ranks
// than the first. Collective.
std::vector<std::string> placement(const comm::Communicator& world);

}  // namespace lockstep::run
