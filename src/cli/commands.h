// The subcommands. Each takes the job's session and its own arguments, and returns when its work is done.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "comm/session.h"

namespace lockstep::cli {

struct TrainArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string out;  // empty: runs/NAME-OF-CONFIG
  bool quiet = false;
};
void train(const comm::Session& session, const TrainArguments& arguments);

struct EvalArguments {
  std::string config;  // a TOML file, or the folder of a finished run
  std::vector<std::string> overrides;
  std::string model;  // a model.safetensors; empty: the run folder's, else train.init_from
  std::string out;    // where the tables go; empty: the run folder, else runs/NAME-OF-CONFIG
  bool grid = false, confusion = false, weights = false;  // which tables to write
};
void eval(const comm::Session& session, const EvalArguments& arguments);

struct VerifyArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::size_t steps = 20;
  std::optional<double> tolerance;  // of the relative drift, with reduce.mode = "float"; none: 0
};
// Returns whether the run on all ranks is that of one process.
bool verify(const comm::Session& session, const VerifyArguments& arguments);

}  // namespace lockstep::cli
