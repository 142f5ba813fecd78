// The training runs of a search: which there are, which cannot run, and what each came to.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "comm/communicator.h"
#include "config/run_config.h"
#include "config/sweep.h"
#include "report/trials.h"

namespace lockstep::run {

// One training run of a trial: a seed and, in cross-validation, a fold.
struct SweepRun {
  std::size_t trial = 0;                    // from 0 on
  std::string name;                         // "0003-seed1-fold0": of its file
  std::optional<config::RunConfig> config;  // none where the configuration refuses the values
  nlohmann::ordered_json resolved;
  nlohmann::ordered_json files = nlohmann::ordered_json::array();  // hashes of those that it reads
  ExitCode refusal_code = ExitCode::kConfig;  // where it cannot run, or will not have the score:
  std::string refusal;

  bool refused() const { return !refusal.empty(); }
};

// All runs, trial by trial.
std::vector<SweepRun> plan_runs(const config::Sweep& sweep, const std::string& config_text);

// Refuses the runs whose data cannot be read or divided, or which will not have the score; notes the hashes
// of the files that the others read. Rank 0 looks, all ranks get the same. Throws CollectiveError.
// Collective.
void validate_data(const comm::Communicator& world, const config::Sweep& sweep, std::vector<SweepRun>& runs);

// The files of the runs' results, which groups of ranks write and read.
class SweepResults {
 public:
  // program: what computes, as provenance() says.
  SweepResults(const config::Sweep& sweep, const std::vector<SweepRun>& runs, std::filesystem::path folder,
               nlohmann::ordered_json program);

  // What an earlier sweep, or a group of ranks, left of a run: nothing where it is another run's, was
  // computed from other files or by another program, or is not such a file at all.
  std::optional<nlohmann::ordered_json> read(const SweepRun& run) const;
  // Adds what the run was made of. Throws ConfigError where it cannot be written.
  void write(const SweepRun& run, nlohmann::ordered_json result) const;

  // The trials whose runs all have results, best first.
  std::vector<report::Trial> trials();
  // The first run without a result, as its file's name; none: every run has one.
  std::optional<std::filesystem::path> missing();

 private:
  std::filesystem::path path(const SweepRun& run) const { return folder_ / (run.name + ".json"); }
  // Reads what is new. Results of runs that ended well do not change any more.
  void refresh();

  const config::Sweep& sweep_;
  const std::vector<SweepRun>& runs_;
  std::filesystem::path folder_;
  nlohmann::ordered_json program_;
  std::vector<std::optional<nlohmann::ordered_json>> results_;  // a run each
};

}  // namespace lockstep::run
