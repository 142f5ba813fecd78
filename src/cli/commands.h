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
  // Checkpoints to go on from, of which the last counts: a file; "latest", the run folder's newest; "auto",
  // that if there is one, else as without it. Empty: from the start.
  std::vector<std::string> resume;
  std::string resume_from;  // a checkpoint or a run folder, to begin a new run with its weights and momentum
  bool overwrite = false;   // the run that the run folder holds, if it does
  std::string trace;        // where a timeline of all ranks goes; empty: none
  bool quiet = false;
};
// Returns the exit code: 0, or 130 or 143 where a signal ended it and the state is saved.
int train(const comm::Session& session, const TrainArguments& arguments);

struct EvalArguments {
  std::string config;  // a TOML file, or the folder of a run
  std::vector<std::string> overrides;
  std::string
      model;        // weights, a checkpoint, or best or latest; empty: the run folder's, else train.init_from
  std::string out;  // where the tables go; empty: the run folder, else runs/NAME-OF-CONFIG
  std::string predictions_of;  // a CSV file of samples without targets, to predict; empty: none
  bool grid = false, confusion = false, predictions = false, weights = false;  // which tables to write
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

struct SelftestArguments {
  std::vector<std::string> names;  // of the runs; empty: all
  std::string hashes;              // a list to compare with; empty: the one that is compiled in
  bool whole = false;              // train to the end; else the first 20 steps
  std::string write;               // where to write the list with this program's hashes; empty: compare
};
// Returns whether every run has the weights of the list, with every kernel set. Runs whose
// data is not at hand are left out, and said to be.
bool selftest(const comm::Session& session, const SelftestArguments& arguments);

struct GradcheckArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::size_t samples = 16;   // about so many in the batch
  std::size_t elements = 30;  // of each tensor
  double tolerance = 1e-4;    // of the relative error
};
// Returns whether the backward pass agrees with central differences.
bool gradcheck(const comm::Session& session, const GradcheckArguments& arguments);

struct SweepArguments {
  std::string sweep;  // a TOML file that names a configuration and what to vary in it
  std::string out;    // empty: runs/NAME-OF-SWEEP
  int ranks_per_trial = 1;
  std::string program = "lockstep";  // as it was called
};
void sweep(const comm::Session& session, const SweepArguments& arguments);

// Prints what this job has to work with: kernels, cores, ranks, allreduce, data, and what it would change.
void doctor(const comm::Session& session);

struct PredictArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::string> networks;  // between hosts; empty: the job's own, or 25gbit
  std::vector<std::string> at;  // RANKSxTHREADS to predict; empty: the best layouts of 1, 2, 4, ... cores
  int most = 4096;              // cores
  int cores_per_host = 0;       // 0: as many as were measured together
  bool weak = false;            // the batch grows with the ranks
  std::string calibration;      // a file of measurements, which this job's are added to
  bool no_measure = false;      // the file's are enough
  std::string csv;              // where the table goes too
};
// Measures steps and sums, and prints how long an epoch would take on more ranks and hosts.
void predict(const comm::Session& session, const PredictArguments& arguments);

// Prints what a file or folder is, and what is in it: weights, a checkpoint, data, a configuration, a search,
// a run.
void inspect(const comm::Session& session, const std::string& path);

// Prints the configurations of a folder, "" for those that come with the program, with a line each.
void configs(const comm::Session& session, const std::string& folder);

// Prints "x,sigmoid,sigmoid_slope,..." and a row for each of 401 points on -4..4.
void activations(const comm::Session& session);

}  // namespace lockstep::cli
