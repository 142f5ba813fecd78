#include "run/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/version.h"
#include "report/trials.h"
#include "run/experiment.h"
#include "run/loop.h"
#include "run/provenance.h"
#include "run/run_place.h"
#include "run/same_data.h"
#include "run/setup.h"
#include "run/sweep_runs.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct LastScore final : LoopObserver {
  train::Score score;
  void after_epoch(const std::optional<train::Score>& of_epoch, const train::StopRequests&) override {
    if (of_epoch) score = *of_epoch;
  }
};

bool is_by_signal(const Error& error) {
  return error.code() == ExitCode::kInterrupted || error.code() == ExitCode::kTerminated;
}

// What a run came to. Throws where a signal ends the search.
ordered_json train_run(Job& job, const SweepRun& run, const std::string& wanted,
                       const comm::Communicator& group, int threads) {
  const auto start = std::chrono::steady_clock::now();
  ordered_json result = {{"status", "failed"}};
  try {
    if (run.refused()) throw comm::CollectiveError(run.refusal_code, run.refusal);
    job.progress.enter(liveness::Activity::kSetUp);
    Experiment experiment(*run.config, group, threads, job.supervision());
    LastScore last;
    if (const auto stop = train_epochs(experiment.trainer(), run.config->train.epochs, last);
        stop.by_signal())
      throw train::stopped(stop, fmt::format("in {}", run.name));
    const train::Score score = last.score, test = experiment.test_score();
    result = {{"status", "ok"},
              {"train_loss", score.loss},
              {"train_accuracy", accuracy(score, experiment.info())},
              {"test_loss", test.loss},
              {"test_accuracy", accuracy(test, experiment.info())},
              {"test_largest_error",
               test.samples > 0 && experiment.model().outputs() == 1 ? test.largest_error : std::nan("")},
              {"weights_hash", hash_hex(std::as_bytes(experiment.trainer().parameters()))}};
    if (!std::isfinite(result[wanted].get<double>()))
      result.update({{"status", "failed"},
                     {"error", fmt::format("{} is {}, expected a finite number", wanted,
                                           result[wanted].get<double>())}});
  } catch (const comm::CollectiveError& error) {
    if (is_by_signal(error)) throw;
    result["error"] = error.what();
  }
  result["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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

// Trains this group's share of the runs that have no result yet; the group's first rank keeps each in a file,
// and calls `after_run`.
void train_share(Job& job, const std::vector<SweepRun>& runs, const SweepResults& results,
                 const std::string& score, const Groups& groups, int threads, report::Console console,
                 const std::function<void()>& after_run) {
  const bool leads = groups.ranks.rank() == 0;
  for (std::size_t i = groups.mine; i < runs.size(); i += groups.count) {
    const SweepRun& run = runs[i];
    std::int64_t done = 0;
    groups.ranks.all_or_none([&] {
      if (!leads) return;
      const auto earlier = results.read(run);
      done = earlier && (*earlier)["status"] == "ok" ? 1 : 0;
    });
    groups.ranks.broadcast(std::as_writable_bytes(std::span(&done, 1)), 0);
    if (done == 1) {
      console.line(fmt::format("{}: done before", run.name));
      continue;
    }
    const ordered_json result = train_run(job, run, score, groups.ranks, threads);
    groups.ranks.all_or_none([&] {
      if (!leads) return;
      const liveness::Writing writing_files(&job.progress);
      results.write(run, result);
      after_run();
    });
    if (result["status"] != "ok")
      console.line(fmt::format("{}: failed: {}", run.name, result["error"].get<std::string>()));
    else
      console.line(fmt::format("{}: {} {:.6f} ({:.1f} s)", run.name, score, result[score].get<double>(),
                               result["seconds"].get<double>()));
  }
}

// Groups compare among themselves; here all ranks do, for every set of files that the runs read. Throws
// CollectiveError. Collective.
void expect_same_data(const comm::Communicator& world, const std::vector<SweepRun>& runs) {
  std::set<std::vector<fs::path>> seen;
  for (const SweepRun& run : runs) {
    if (run.refused()) continue;
    std::vector<fs::path> files = data::files_of(run.config->data);
    if (files.empty() || !seen.insert(std::move(files)).second) continue;
    std::unique_ptr<data::Dataset> dataset;
    world.all_or_none([&] { dataset = data::open_dataset(run.config->data); });
    expect_same_files(world, *dataset);
  }
}

// As a POSIX shell reads it back.
std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}
std::string shell_path(const std::string& path) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("/._-+").find(c) != std::string_view::npos;
  };
  return !path.empty() && std::all_of(path.begin(), path.end(), plain) ? path : shell_word(path);
}

// The best trial as a training command, into a folder of its own.
std::string command_of(const std::string& program, const config::Sweep& sweep, const report::Trial& trial,
                       const fs::path& out) {
  std::string command = fmt::format("{} train {}", shell_path(program), shell_path(sweep.config.string()));
  for (const std::string& override : sweep.overrides) {
    const auto value = override.find('=') + 1;
    command += fmt::format(
        " --set {}", shell_word(override.substr(0, value) + config::plain_toml(override.substr(value))));
  }
  for (std::size_t p = 0; p < trial.values.size(); ++p)
    command += fmt::format(" --set {}", shell_word(sweep.parameters[p].key + "=" + trial.values[p]));
  return command + fmt::format(" --out {}", shell_path((out / "best").string()));
}

}  // namespace

void sweep(Job& job, const SweepArguments& arguments) {
  const comm::Communicator& world = job.world;
  const std::string sweep_text = read_on_first_rank(world, arguments.sweep);
  config::Sweep sweep;
  world.all_or_none([&] { sweep = config::parse_sweep(sweep_text, arguments.sweep); });
  const std::string config_text = read_on_first_rank(world, sweep.config.string());
  std::vector<SweepRun> runs = plan_runs(sweep, config_text);
  validate_data(world, sweep, runs);
  const auto good =
      std::find_if_not(runs.begin(), runs.end(), [](const SweepRun& run) { return run.refused(); });
  world.all_or_none([&] {
    if (good == runs.end())
      throw Error(runs.front().refusal_code,
                  fmt::format("{}: no trial can run: {}", arguments.sweep, runs.front().refusal));
    if (arguments.ranks_per_trial > world.size())
      throw ConfigError(fmt::format("--ranks-per-trial is {}, expected at most {}, the number of ranks",
                                    arguments.ranks_per_trial, world.size()));
  });
  expect_same_data(world, runs);
  const Compute compute = agree_on_compute(good->config->compute, world);
  const Groups groups(world, arguments.ranks_per_trial);
  report::Console& console = job.console;
  console.line(fmt::format("lockstep {}: {} trials, {} runs on {} group{} of ranks, {} kernels", kVersion,
                           sweep.size(), runs.size(), groups.count, groups.count == 1 ? "" : "s",
                           compute.kernel_names()));

  const fs::path out =
      arguments.out.empty() ? fs::path("runs") / fs::path(arguments.sweep).stem() : fs::path(arguments.out);
  const fs::path table = out / "trials.csv";
  std::vector<std::string> keys;
  for (const config::Parameter& parameter : sweep.parameters) keys.push_back(parameter.key);
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    expect_replaceable(table,
                       report::trials_csv(keys, {}, sweep.score));  // another search's has other columns
    writing(out, [&] { fs::create_directories(out / "runs"); });
  });
  job.watch(good->config->watchdog_seconds, out / ".heartbeat");
  ordered_json program = provenance(compute);
  for (const char* changes_no_number : {"kernel_family", "kernel_choice", "kernels"})
    program.erase(changes_no_number);
  program.erase("commit");  // of which most change no number
  SweepResults results(sweep, runs, out / "runs", program);
  const auto write_table = [&] {  // one rank alone: groups would overwrite each other's
    const std::string text = report::trials_csv(keys, results.trials(), sweep.score);
    writing(table, [&] { write_file_atomically(table, text); });
  };
  std::optional<Error> failure;  // of this group; the others hear of it when they are done
  try {
    train_share(job, runs, results, sweep.score, groups, compute.threads,
                console.of_group(groups.ranks.rank() == 0), [&] {
                  if (world.rank() == 0) write_table();
                });
  } catch (const comm::CollectiveError& error) {  // of this group; what one rank alone knows of ends the job
    failure = error;
  }
  job.progress.enter(liveness::Activity::kOtherGroups);
  world.all_or_none([&] {
    if (failure && !is_by_signal(*failure)) throw *failure;
  });
  world.all_or_none([&] {
    if (world.rank() == 0 && failure) write_table();  // of the runs that are done
    if (failure) throw Error(failure->code(), fmt::format("{}; the same command goes on", failure->what()));
  });
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    const liveness::Writing writing_files(&job.progress);
    write_table();
    if (const auto missing = results.missing())
      throw ConfigError(
          fmt::format("{}: is not what this sweep wrote, expected a folder of its own that all "
                      "ranks see",
                      missing->string()));
    const std::vector<report::Trial> trials = results.trials();
    console.line(report::trials_table(keys, trials, sweep.score));
    console.line(fmt::format("table written to {}", table.string()));
    if (!trials.front().ok())
      throw ConfigError(fmt::format("every trial failed, the first: {}", trials.front().error));
    console.line(fmt::format("best: {}", command_of(arguments.program, sweep, trials.front(), out)));
  });
}

}  // namespace lockstep::run
