// lockstep sweep: many trials of one configuration, spread over groups of ranks.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/setup.h"
#include "config/sweep.h"
#include "report/console.h"
#include "report/trials.h"

namespace lockstep::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// One training run of a trial: a seed and, in cross-validation, a fold.
struct Run {
  std::size_t trial = 0;  // from 0 on
  std::string name;       // "0003-seed1-fold0": of its file
  std::vector<std::string> overrides;
  std::optional<config::RunConfig> config;  // none where the configuration refuses the values
  ordered_json resolved;
  std::string refusal;  // then
};

std::vector<Run> plan_runs(const config::Sweep& sweep, const std::string& config_text) {
  std::vector<Run> runs;
  for (std::size_t trial = 0; trial < sweep.size(); ++trial) {
    std::vector<std::string> of_trial = sweep.overrides;
    const std::vector<std::string> values = sweep.values(trial);
    for (std::size_t p = 0; p < values.size(); ++p)
      of_trial.push_back(sweep.parameters[p].key + "=" + values[p]);
    for (std::size_t s = 0; s < std::max<std::size_t>(sweep.seeds.size(), 1); ++s) {
      for (std::size_t fold = 0; fold < std::max<std::size_t>(sweep.folds, 1); ++fold) {
        Run run;
        run.trial = trial;
        run.name = fmt::format("{:04}", trial + 1);
        run.overrides = of_trial;
        if (!sweep.seeds.empty()) {
          run.overrides.push_back(fmt::format("seed={}", sweep.seeds[s]));
          run.name += fmt::format("-seed{}", sweep.seeds[s]);
        }
        if (sweep.folds > 0) {
          run.overrides.push_back(fmt::format("data.folds={}", sweep.folds));
          run.overrides.push_back(fmt::format("data.fold={}", fold));
          run.name += fmt::format("-fold{}", fold);
        }
        try {
          run.config = config::parse(config_text, sweep.config.string(), run.overrides, &run.resolved);
        } catch (const ConfigError& error) {
          run.refusal = error.what();
        }
        runs.push_back(std::move(run));
      }
    }
  }
  return runs;
}

// What a run came to, as its file keeps it.
ordered_json train_run(const Run& run, const comm::Communicator& group, int threads) {
  const auto start = std::chrono::steady_clock::now();
  ordered_json result = {{"status", "failed"}};
  try {
    if (!run.config) throw comm::AgreedError(ExitCode::kConfig, run.refusal);
    Experiment experiment(*run.config, group, threads);
    train::Trainer& trainer = experiment.trainer();
    train::Score score;
    while (trainer.epochs_done() < run.config->train.epochs) score = trainer.epoch({}).value_or(score);
    const train::Score test = experiment.test_score();
    result = {{"status", "ok"},
              {"train_loss", score.loss},
              {"train_accuracy", accuracy(score, experiment.info())},
              {"test_loss", test.loss},
              {"test_accuracy", accuracy(test, experiment.info())},
              {"test_largest_error",
               test.samples > 0 && experiment.model().outputs() == 1 ? test.largest_error : std::nan("")},
              {"weights_hash", hash_hex(std::as_bytes(trainer.parameters()))}};
  } catch (const comm::AgreedError& error) {
    result["error"] = error.what();
  }
  result["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result["config"] = run.resolved;
  return result;
}

// The result of an earlier sweep that was interrupted, if this run was done there, in the same configuration.
std::optional<ordered_json> earlier_result(const fs::path& path, const Run& run) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  const ordered_json result = ordered_json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!result.is_object() || result.value("status", "") != "ok" ||
      result.value("config", ordered_json()) != run.resolved)
    return std::nullopt;
  return result;
}

// The groups of ranks that train, one run at a time each.
struct Groups {
  std::size_t count = 1, mine = 0;
  comm::Communicator ranks;  // of this rank's group

  Groups(const comm::Communicator& world, int ranks_per_trial) {
    const auto size = static_cast<std::size_t>(world.size()), rank = static_cast<std::size_t>(world.rank());
    count = std::max<std::size_t>(1, size / static_cast<std::size_t>(ranks_per_trial));
    while (data::even_part(size, mine, count).end <= rank) ++mine;
    ranks = world.split(static_cast<int>(mine));
  }
};

// Trains this group's share of the runs that have no result yet; the group's first rank keeps each in a file.
void train_share(const std::vector<Run>& runs, const fs::path& folder, const std::string& score,
                 const Groups& groups, int threads) {
  const bool leads = groups.ranks.rank() == 0;
  report::Console console(leads);
  for (std::size_t i = groups.mine; i < runs.size(); i += groups.count) {
    const fs::path path = folder / (runs[i].name + ".json");
    std::int64_t done = 0;
    groups.ranks.together([&] { done = leads && earlier_result(path, runs[i]) ? 1 : 0; });
    groups.ranks.broadcast(std::as_writable_bytes(std::span(&done, 1)), 0);
    if (done == 1) {
      console.line(fmt::format("{}: done before", runs[i].name));
      continue;
    }
    const ordered_json result = train_run(runs[i], groups.ranks, threads);
    groups.ranks.together([&] {
      if (leads) write_file_atomically(path, result.dump(2) + "\n");
    });
    const double seconds = result["seconds"].get<double>();
    if (result["status"] != "ok")
      console.line(fmt::format("{}: failed: {}", runs[i].name, result["error"].get<std::string>()));
    else if (result[score].is_number() && std::isfinite(result[score].get<double>()))
      console.line(
          fmt::format("{}: {} {:.6f} ({:.1f} s)", runs[i].name, score, result[score].get<double>(), seconds));
    else
      console.line(fmt::format("{}: no {} ({:.1f} s)", runs[i].name, score, seconds));
  }
}

// All runs' results, by trial.
std::vector<report::Trial> collect(const config::Sweep& sweep, const std::vector<Run>& runs,
                                   const fs::path& folder) {
  std::vector<report::Trial> trials;
  for (std::size_t t = 0; t < sweep.size(); ++t)
    trials.push_back({.number = t + 1, .values = sweep.values(t), .scores = {}, .error = {}});
  for (const Run& run : runs) {
    const fs::path path = folder / (run.name + ".json");
    const ordered_json result = ordered_json::parse(read_file(path));
    report::Trial& trial = trials[run.trial];
    trial.seconds += result["seconds"].get<double>();
    if (result["status"] == "ok" && result[sweep.score].is_number())
      trial.scores.push_back(result[sweep.score].get<double>());
    else if (trial.error.empty())
      trial.error = result["status"] == "ok" ? fmt::format("{} has no {}", run.name, sweep.score)
                                             : result["error"].get<std::string>();
  }
  return trials;
}

// The best trial as a training command.
std::string command_of(const config::Sweep& sweep, const report::Trial& trial) {
  std::string command = fmt::format("lockstep train {}", sweep.config.string());
  for (const std::string& override : sweep.overrides) command += fmt::format(" --set '{}'", override);
  for (std::size_t p = 0; p < trial.values.size(); ++p)
    command += fmt::format(" --set '{}={}'", sweep.parameters[p].key, report::plain_toml(trial.values[p]));
  return command;
}

}  // namespace

void sweep(const comm::Session& session, const SweepArguments& arguments) {
  const comm::Communicator& world = session.world();
  const std::string sweep_text = read_on_first_rank(world, arguments.sweep);
  config::Sweep sweep;
  world.together([&] { sweep = config::parse_sweep(sweep_text, arguments.sweep); });
  const std::string config_text = read_on_first_rank(world, sweep.config.string());
  const std::vector<Run> runs = plan_runs(sweep, config_text);
  const auto good =
      std::find_if(runs.begin(), runs.end(), [](const Run& run) { return run.config.has_value(); });
  world.together([&] {
    if (good == runs.end())
      throw ConfigError(fmt::format("{}: no trial can run: {}", arguments.sweep, runs.front().refusal));
    if (arguments.ranks_per_trial > world.size())
      throw ConfigError(fmt::format("--ranks-per-trial is {}, expected at most {}, the number of ranks",
                                    arguments.ranks_per_trial, world.size()));
  });
  const Compute compute = agree_on_compute(good->config->compute, world);
  const Groups groups(world, arguments.ranks_per_trial);
  report::Console console(world.rank() == 0);
  console.line(fmt::format("lockstep {}: {} trials, {} runs on {} group{} of ranks, {} kernels", kVersion,
                           sweep.size(), runs.size(), groups.count, groups.count == 1 ? "" : "s",
                           compute.kernel_family));

  const fs::path out =
      arguments.out.empty() ? fs::path("runs") / fs::path(arguments.sweep).stem() : fs::path(arguments.out);
  const fs::path folder = out / "runs";
  const auto writing = [&](auto&& write) {
    try {
      write();
    } catch (const std::system_error& error) {
      throw ConfigError(fmt::format("{}: cannot be written or read: {}", out.string(), error.what()));
    }
  };
  world.together([&] {
    if (world.rank() == 0) writing([&] { fs::create_directories(folder); });
  });
  std::optional<Error> failure;  // of this group; the others hear of it when they are done
  try {
    train_share(runs, folder, sweep.score, groups, compute.threads);
  } catch (const Error& error) {
    failure = error;
  }
  world.together([&] {
    if (failure) throw *failure;
  });

  std::vector<std::string> keys;
  for (const config::Parameter& parameter : sweep.parameters) keys.push_back(parameter.key);
  world.together([&] {
    if (world.rank() != 0) return;
    writing([&] {
      std::vector<report::Trial> trials = collect(sweep, runs, folder);
      report::sort_trials(trials, sweep.higher_is_better());
      write_file_atomically(out / "trials.csv", report::trials_csv(keys, trials));
      console.line(report::trials_table(keys, trials, sweep.score));
      console.line(fmt::format("table written to {}", (out / "trials.csv").string()));
      if (!trials.front().ok())
        throw ConfigError(fmt::format("every trial failed, the first: {}", trials.front().error));
      console.line(fmt::format("best: {}", command_of(sweep, trials.front())));
    });
  });
}

}  // namespace lockstep::cli
