#include "run/receipt.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "config/keys.h"
#include "run/finished_run.h"
#include "run/inspect.h"
#include "run/temporary_folder.h"
#include "run/train.h"

namespace lockstep::run {
namespace {

using nlohmann::ordered_json;

// Throws ConfigError where a value would make it another run.
void expect_no_numbers_changed(const std::vector<std::string>& overrides) {
  for (const std::string& setting : overrides) {
    const std::string name = setting.substr(0, setting.find('='));
    const config::Key* key = config::find_key(config::keys_of_runs(), name);
    if (key != nullptr && (key->role != config::Role::kExecution || name == "train.patience"))
      throw ConfigError(
          fmt::format("--set {}: would make it another run, expected values of keys that no "
                      "weight depends on, such as data.dir",
                      setting));
  }
}

// Throws ConfigError where the configuration alone does not say how the weights came about.
void expect_repeatable(const FinishedRun& run) {
  const auto refuse = [&](const std::string& found) {
    throw ConfigError(fmt::format("{}: {}, expected with --rerun a run that its configuration alone decides",
                                  run.folder.string(), found));
  };
  if (!run.began_from.empty()) refuse("began with the weights of " + run.began_from);
  if (run.out_of_time) refuse("ended when train.max_seconds were over");
}

// Trains again in a folder of its own, with nothing printed. Collective.
FinishedRun train_again(Job& job, const std::string& folder, const ReceiptArguments& arguments) {
  TrainArguments again;
  again.config = arguments.run + "/config.toml";
  again.out = folder + "/again";
  again.overrides = {
      "compute.threads=0",        "compute.kernels=auto", "train.max_seconds=0",  "checkpoint.every_epochs=0",
      "checkpoint.every_steps=0", "log.steps=false",      "log.gradients=false",  "log.layers=false",
      "log.film=false",           "log.json=false",       "log.tensorboard=false"};
  again.overrides.insert(again.overrides.end(), arguments.overrides.begin(), arguments.overrides.end());
  const report::Console console = std::exchange(job.console, report::Console(false));
  const int code = train(job, again);
  job.console = console;
  if (code != 0)
    throw comm::CollectiveError(static_cast<ExitCode>(code), "stopped before the run was trained again");
  FinishedRun run;
  job.world.all_or_none([&] {
    if (job.world.rank() == 0) run = read_finished_run(again.out);
  });
  return run;
}

// Throws DataError where the data are not those that the run has learnt from.
void expect_its_data(const FinishedRun& run, const FinishedRun& again) {
  if (run.data != again.data)
    throw DataError(
        fmt::format("{}: trained again, the data has the fingerprint {}/{}, expected {}/{} as in "
                    "summary.json",
                    run.folder.string(), again.data.train, again.data.test, run.data.train, run.data.test));
}

Lines describe(const FinishedRun& run) {
  Lines lines = {entry("configuration", fmt::format("{}, {}", run.name, run.config_hash())),
                 entry("data", fmt::format("training {}{}", run.data.train,
                                           run.data.test.empty() ? "" : ", test " + run.data.test)),
                 entry("epochs", std::to_string(run.epochs)), entry("steps", std::to_string(run.steps))};
  for (const char* split : {"train", "test"})
    if (const std::string text = describe_score(run.summary, split); !text.empty())
      lines.push_back(entry(split, text));
  lines.push_back(entry("weights", run.weights));
  lines.push_back(entry("version", fmt::format("{}, commit {}", run.version, run.commit)));
  return lines;
}

ordered_json to_json(const FinishedRun& run, const std::vector<Check>& checks) {
  ordered_json metrics;
  for (const char* key : {"train_loss", "train_accuracy", "test_loss", "test_accuracy"})
    metrics[key] = run.summary.at(key);
  return {{"run", run.folder.string()},
          {"holds", std::ranges::all_of(checks, &Check::holds)},
          {"name", run.name},
          {"configuration", run.config_hash()},
          {"data", {{"train", run.data.train}, {"test", run.data.test}}},
          {"weights", run.weights},
          {"epochs", run.epochs},
          {"steps", run.steps},
          {"metrics", metrics},
          {"version", run.version},
          {"commit", run.commit},
          {"receipt", run.receipt()},
          {"checks", run::to_json(checks)}};
}

}  // namespace

void receipt(Job& job, const ReceiptArguments& arguments) {
  const comm::Communicator& world = job.world;
  FinishedRun run;  // on rank 0, as the next
  std::vector<Check> checks;
  world.all_or_none([&] {
    if (!arguments.overrides.empty() && !arguments.rerun)
      throw ConfigError("--set without --rerun, expected both: it is the training that takes values");
    expect_no_numbers_changed(arguments.overrides);
    if (world.rank() != 0) return;
    run = read_finished_run(arguments.run);
    checks = compare_files(run);
    if (!arguments.against.empty()) checks.push_back(compare_receipt(run, arguments.against));
    if (arguments.rerun) expect_repeatable(run);
  });
  const auto hold = [&] { return std::ranges::all_of(checks, &Check::holds); };
  if (arguments.rerun && world.allreduce_min(hold() ? 1 : 0) == 1) {
    const TemporaryFolder folder("lockstep-receipt", world);
    const FinishedRun again = train_again(job, folder.path(), arguments);
    job.watch(0.0);  // its heartbeats are in the folder that goes now
    world.all_or_none([&] {
      if (world.rank() != 0) return;
      expect_its_data(run, again);
      for (Check& check : compare_runs(run, again)) checks.push_back(std::move(check));
    });
  }
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    if (arguments.json) {
      job.console.line(to_json(run, checks).dump(2));
    } else {
      job.console.line(fmt::format("{}: a finished run", arguments.run));
      for (const std::string& line : describe(run)) job.console.line(line);
      for (const std::string& line : lines_of(checks)) job.console.line(line);
      if (hold()) job.console.line(run.receipt());
    }
    const auto broken = std::ranges::find(checks, false, &Check::holds);
    if (broken != checks.end()) throw ModelError(broken->found);
  });
}

}  // namespace lockstep::run
