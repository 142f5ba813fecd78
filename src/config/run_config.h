// A whole run's configuration: a TOML file and the command line's --set, validated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/run_options.h"
#include "data/options.h"
#include "nn/model.h"
#include "reduce/reducer.h"
#include "train/trainer.h"

namespace lockstep::config {

// train.scale_rate: learning rates that suit batches of base_batch_size, for those of train.batch_size.
struct RateScaling {
  enum class Rule { kNone, kLinear, kSqrt } rule = Rule::kNone;
  std::size_t base_batch_size = 128;
  double factor = 1.0;  // of every learning rate of the configuration; those of RunConfig::train have it
};

struct RunConfig {
  std::uint64_t seed = 1;
  data::DataOptions data;
  nn::ModelOptions model;
  train::TrainOptions train;
  RateScaling rate_scaling;
  EvalOptions eval;
  reduce::ReduceOptions reduce;
  ComputeOptions compute;
  CheckpointOptions checkpoint;
  EarlyStoppingOptions early_stopping;
  std::filesystem::path init_from;  // train.init_from, a model.safetensors to start from; empty: model.init
  double watchdog_seconds = 60.0;   // without progress, before the job is ended; 0: never
  LogOptions log;
};

// The configuration that `text`, the content of the TOML file `name`, and the overrides ("section.key=value",
// later ones win) describe; keys that neither has keep their defaults. resolved, unless null, gets every
// key's value. Throws ConfigError, which names the file and line or the override's origin (empty: --set for
// all), the key, what was found and what was expected; an unknown key is an error that suggests the nearest.
RunConfig parse(const std::string& text, const std::string& name, const std::vector<std::string>& overrides,
                nlohmann::ordered_json* resolved = nullptr, const std::vector<std::string>& origins = {});

// The keys that two resolved configurations give different values, of those that a run's numbers depend on.
// Where the data are does not count: their fingerprint tells whether they are the same.
std::vector<std::string> different_keys(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b);

// Resolved values that another version of the program has kept in the file `name`, as this one reads them,
// with the defaults of keys that came later. Keys that no numbers depend on have their defaults. Throws
// ConfigError where a value is not known any more.
nlohmann::ordered_json as_read_now(const nlohmann::ordered_json& resolved, const std::string& name);

// The resolved values as a TOML file that gives the same run.
std::string to_toml(const nlohmann::ordered_json& resolved);

}  // namespace lockstep::config
