#include "run/sweep_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "run/experiment.h"
#include "run/saved_network.h"
#include "run/setup.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

void refuse(SweepRun& run, const Error& error) {
  run.config.reset();
  run.refusal_code = error.code();
  run.refusal = error.what();
}

// Throws ConfigError where the run should stop before its last epoch, which a search does not do.
void expect_all_epochs(const config::RunConfig& config) {
  for (const auto& [key, set] : {std::pair("train.patience", config.early_stopping.patience > 0),
                                 {"train.max_seconds", config.train.max_seconds > 0}})
    if (set) throw ConfigError(fmt::format("{} has no effect in a search, expected it to be 0", key));
}

// Throws ConfigError where a run on such data will not have the score.
void expect_score(const std::string& score, const data::DatasetInfo& info, std::size_t outputs) {
  std::string reason;
  if (score.starts_with("test_") && info.test_samples == 0)
    reason = fmt::format("{} has no test samples", info.name);
  else if (score.ends_with("_accuracy") && info.classes == 0)
    reason = fmt::format("the targets of {} are values, not classes", info.name);
  else if (score == "test_largest_error" && outputs != 1)
    reason = fmt::format("the network has {} outputs, not one", outputs);
  if (!reason.empty())
    throw ConfigError(fmt::format("score is \"{}\", which there will not be: {}", score, reason));
}

// The hash of a file, of a run folder that of its weights; "" where there is none that can be read, which
// training will say.
std::string hash_of_file(const fs::path& path) {
  try {
    const std::string content = read_file(weights_file(path));
    return hash_hex(std::as_bytes(std::span(content)));
  } catch (const std::exception&) {
    return "";
  }
}

// Remembers what it has seen: most runs of a search share their data.
class DataSeen {
 public:
  // Throws what opening the data set throws.
  const data::DatasetInfo& info(const SweepRun& run) {
    Look& look = looks_[run.resolved["data"].dump()];
    if (!look.info && !look.error) {
      try {
        look.info = data::open_dataset(run.config->data)->info();
      } catch (const Error& error) {
        look.error = error;
      }
    }
    if (look.error) throw *look.error;
    return *look.info;
  }

  ordered_json hashes(const config::RunConfig& config) {
    std::vector<fs::path> paths = data::files_of(config.data);
    if (!config.init_from.empty()) paths.push_back(config.init_from);
    auto hashes = ordered_json::array();
    for (const fs::path& path : paths) {
      const auto [entry, is_new] = hashes_.try_emplace(path.string());
      if (is_new) entry->second = hash_of_file(path);
      hashes.push_back(entry->second);
    }
    return hashes;
  }

 private:
  struct Look {
    std::optional<data::DatasetInfo> info;
    std::optional<Error> error;
  };
  std::map<std::string, Look> looks_;
  std::map<std::string, std::string> hashes_;
};

bool has_number(const ordered_json& result, const char* key) {
  return result.contains(key) && result[key].is_number();
}

}  // namespace

std::vector<SweepRun> plan_runs(const config::Sweep& sweep, const std::string& config_text) {
  const auto plan_run = [&](std::size_t trial, const std::size_t* seed, std::size_t fold) {
    SweepRun run;
    run.trial = trial;
    run.name = fmt::format("{:04}", trial + 1);
    std::vector<std::string> overrides = sweep.overrides, origins = sweep.origins;
    const auto set = [&](const std::string& key, const std::string& value, const std::string& where) {
      overrides.push_back(fmt::format("{}={}", key, value));
      origins.push_back(where);
    };
    const std::vector<std::string> values = sweep.values(trial);
    for (std::size_t p = 0; p < values.size(); ++p)
      set(sweep.parameters[p].key, values[p], sweep.parameters[p].where);
    if (seed != nullptr) {
      set("seed", std::to_string(*seed), sweep.file);
      run.name += fmt::format("-seed{}", *seed);
    }
    if (sweep.folds > 0) {
      set("data.folds", std::to_string(sweep.folds), sweep.file);
      set("data.fold", std::to_string(fold), sweep.file);
      run.name += fmt::format("-fold{}", fold);
    }
    try {
      run.config = config::parse(config_text, sweep.config.string(), overrides, &run.resolved, origins);
    } catch (const ConfigError& error) {
      refuse(run, error);
    }
    return run;
  };
  std::vector<const std::size_t*> seeds;  // none: the configuration's
  for (const std::size_t& seed : sweep.seeds) seeds.push_back(&seed);
  if (seeds.empty()) seeds.push_back(nullptr);
  std::vector<SweepRun> runs;
  for (std::size_t trial = 0; trial < sweep.size(); ++trial)
    for (const std::size_t* seed : seeds)
      for (std::size_t fold = 0; fold < std::max<std::size_t>(sweep.folds, 1); ++fold)
        runs.push_back(plan_run(trial, seed, fold));
  return runs;
}

void validate_data(const comm::Communicator& world, const config::Sweep& sweep, std::vector<SweepRun>& runs) {
  std::string found;  // by rank 0: of each run the exit code and text of its refusal, and its files' hashes
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    DataSeen seen;
    auto all = ordered_json::array();
    for (SweepRun& run : runs) {
      if (run.config) {
        try {
          const data::DatasetInfo& info = seen.info(run);
          const config::RunConfig& config = *run.config;
          expect_all_epochs(config);
          const nn::Model model = model_of(config, info);
          expect_micro_batches(plan_of(config, info), model);
          expect_score(sweep.score, info, model.outputs());
          run.files = seen.hashes(config);
        } catch (const Error& error) {
          refuse(run, error);
        }
      }
      all.push_back({static_cast<int>(run.refusal_code), run.refusal, run.files});
    }
    found = all.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  });
  world.broadcast(found, 0);
  const auto all = ordered_json::parse(found);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].refusal_code = static_cast<ExitCode>(all[i][0].get<int>());
    runs[i].refusal = all[i][1].get<std::string>();
    runs[i].files = all[i][2];
    if (runs[i].refused()) runs[i].config.reset();
  }
}

SweepResults::SweepResults(const config::Sweep& sweep, const std::vector<SweepRun>& runs, fs::path folder,
                           ordered_json program)
    : sweep_(sweep),
      runs_(runs),
      folder_(std::move(folder)),
      program_(std::move(program)),
      results_(runs.size()) {}

std::optional<ordered_json> SweepResults::read(const SweepRun& run) const {
  std::string text;
  try {
    text = read_file(path(run));
  } catch (const std::system_error&) {
    return std::nullopt;
  }
  ordered_json result = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!result.is_object() || !has_number(result, "seconds") || !result.contains("status"))
    return std::nullopt;
  for (const auto& [key, expected] :
       {std::pair("config", &run.resolved), {"files", &run.files}, {"program", &program_}})
    if (!result.contains(key) || result[key] != *expected) return std::nullopt;
  const bool failed = result["status"] == "failed" && result.contains("error") && result["error"].is_string();
  const bool scored = result["status"] == "ok" && has_number(result, sweep_.score.c_str());
  if (!failed && !scored) return std::nullopt;
  return result;
}

void SweepResults::write(const SweepRun& run, ordered_json result) const {
  result["config"] = run.resolved;
  result["files"] = run.files;
  result["program"] = program_;
  const std::string text = result.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  writing(path(run), [&] { write_file_atomically(path(run), text); });
}

void SweepResults::refresh() {
  for (std::size_t i = 0; i < runs_.size(); ++i)
    if (!results_[i] || (*results_[i])["status"] != "ok") results_[i] = read(runs_[i]);
}

std::vector<report::Trial> SweepResults::trials() {
  refresh();
  std::vector<report::Trial> trials;
  for (std::size_t i = 0; i < runs_.size();) {
    report::Trial trial{.number = runs_[i].trial + 1, .values = {}, .scores = {}, .error = {}};
    for (const std::string& value : sweep_.values(runs_[i].trial))
      trial.values.push_back(config::plain_toml(value));
    bool whole = true;
    for (const std::size_t number = runs_[i].trial; i < runs_.size() && runs_[i].trial == number; ++i) {
      whole = whole && results_[i].has_value();
      if (!whole) continue;
      const ordered_json& result = *results_[i];
      trial.seconds += result["seconds"].get<double>();
      if (result["status"] == "ok")
        trial.scores.push_back(result[sweep_.score].get<double>());
      else if (trial.error.empty())
        trial.error = result["error"].get<std::string>();
    }
    if (whole) trials.push_back(std::move(trial));
  }
  report::sort_trials(trials, sweep_.higher_is_better());
  return trials;
}

std::optional<fs::path> SweepResults::missing() {
  refresh();
  for (std::size_t i = 0; i < runs_.size(); ++i)
    if (!results_[i]) return path(runs_[i]);
  return std::nullopt;
}

}  // namespace lockstep::run
