#include "run/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/version.h"
#include "run/experiment.h"
#include "run/monitor.h"
#include "run/resume.h"
#include "run/run_place.h"
#include "run/setup.h"
#include "run/trace_file.h"
#include "run/training.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;

void print_model(report::Console& console, const LoadedConfig& loaded, const Experiment& experiment) {
  const data::DatasetInfo& info = experiment.info();
  if (!info.note.empty()) console.line(info.note);
  for (const std::string& line : layer_table(experiment.model())) console.line(line);
  console.line(fmt::format("{} parameters, loss {}, {:.1f} MiB a rank", experiment.model().parameters(),
                           kernels::name(loaded.run.model.loss),
                           static_cast<double>(experiment.bytes()) / (1 << 20)));
  console.line(describe_steps(info, experiment.plan(), loaded.run.train.batch_size));
  if (const std::string rates = describe_rates(loaded.run); !rates.empty()) console.line(rates);
}

// Ends a run that has stopped, and says why. The exit code. Collective.
int conclude(Training& training, const train::StopRequests& stop, const config::RunConfig& run,
             const train::Trainer& trainer, report::Console& console) {
  if (stop.by_signal()) {
    const bool interrupt = stop.interrupts > 0;
    const std::string saved = training.last_checkpoint();
    console.line(fmt::format("{} after step {}: {}", interrupt ? "interrupted" : "terminated",
                             trainer.steps_done(),
                             saved.empty() ? "its state could not be saved"
                                           : fmt::format("saved {}, --resume latest goes on", saved)));
    training.tell_end(interrupt ? "interrupted" : "terminated");
    return static_cast<int>(interrupt ? ExitCode::kInterrupted : ExitCode::kTerminated);
  }
  std::string reason = "done";
  if (stop.timeouts > 0) {
    reason = "max_seconds";
    console.line(fmt::format("train.max_seconds are over after step {}; --resume latest goes on",
                             trainer.steps_done()));
  } else if (trainer.epochs_done() < run.train.epochs) {
    reason = "patience";
    console.line(fmt::format("stopped early after epoch {}: {} epochs without a better {}",
                             trainer.epochs_done(), run.early_stopping.patience, run.early_stopping.monitor));
  }
  training.finish();
  training.tell_end(reason);
  return 0;
}

// Trains to the end, which it tells to those who follow the run. The exit code. Collective.
int train_to_the_end(Training& training, const config::RunConfig& run, const train::Trainer& trainer,
                     report::Console& console) {
  try {
    return conclude(training, training.run(), run, trainer, console);
  } catch (const std::exception& error) {
    training.tell_end("error", error.what());
    throw;
  }
}

// Those who follow a run hear of warnings too, while this lives.
class Warnings {
 public:
  Warnings(report::Console& console, std::shared_ptr<report::EventLog> events) : console_(console) {
    if (events)
      console.listen([events](const std::string& text) { events->add("warning", {{"message", text}}); });
  }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
  ~Warnings() { console_.listen({}); }

 private:
  report::Console& console_;
};

// Where the run goes: --out, or the run folder whose config.toml this is, or runs/NAME.
fs::path run_folder(const TrainArguments& arguments, const std::string& name) {
  if (!arguments.out.empty()) return arguments.out;
  const fs::path config = arguments.config, folder = config.has_parent_path() ? config.parent_path() : ".";
  const bool of_run = config.filename() == "config.toml" && found_run(folder).has_value();
  return of_run ? folder : fs::path("runs") / name;
}

}  // namespace

int train(Job& job, const TrainArguments& arguments) {
  const comm::Communicator& world = job.world;
  LoadedConfig loaded = load_config(world, arguments.config, arguments.overrides);
  std::optional<RunPlace> place;  // on rank 0
  std::string out, resume;
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    if (!arguments.resume_from.empty() && !loaded.run.init_from.empty())
      throw ConfigError(
          fmt::format("--resume-from {} and train.init_from = \"{}\" both give weights, expected one of them",
                      arguments.resume_from, loaded.run.init_from.string()));
    const auto is_auto = [](const std::string& from) { return from == "auto"; };  // of launch/run
    if (!arguments.resume_from.empty() && !std::ranges::all_of(arguments.resume, is_auto))
      throw ConfigError(
          fmt::format("--resume {} and --resume-from {} both give a state, expected one of them",
                      arguments.resume.front(), arguments.resume_from));
    out = run_folder(arguments, loaded.name);
    writing(out, [&] { place.emplace(PlaceOptions{out, arguments.resume, arguments.overwrite}); });
    resume = place->resume();
  });
  world.broadcast(out, 0);
  world.broadcast(resume, 0);
  const Compute compute = agree_on_compute(loaded.run.compute, world);
  report::Console& console = job.console;
  std::shared_ptr<report::EventLog> events;
  if (world.rank() == 0 && (loaded.run.log.json || arguments.json_to_stdout))
    events = std::make_shared<report::EventLog>(arguments.json_to_stdout);
  const Warnings warnings(console, events);
  console.line(fmt::format("lockstep {}: {}", kVersion, describe_run(loaded.run, world.size(), compute)));
  console.line(fmt::format("{} kernels: {}", compute.kernel_names(), compute.reason));
  if (!compute.note.empty()) console.line(compute.note);

  job.watch(loaded.run.watchdog_seconds);
  std::optional<SavedState> state = open_resumed(world, resume, out, loaded, console);
  const bool goes_on = state.has_value();
  if (!goes_on && !arguments.resume_from.empty())
    state = open_beginning(world, arguments.resume_from, console);
  Experiment experiment(loaded.run, world, compute.threads, job.supervision(),
                        state && state->origin ? &*state->origin : nullptr);
  world.all_or_none([&] { expect_monitored(loaded.run.early_stopping.monitor, experiment.info()); });
  std::optional<Resumed> resumed, beginning;
  if (goes_on)
    resumed = read_resumed(world, std::move(*state), loaded, experiment, console);
  else if (state)
    beginning = read_beginning(world, std::move(*state), experiment, console);
  Training training(job, loaded, compute, placement(world), experiment, events);
  training.start(std::move(place), resumed ? &*resumed : nullptr, beginning ? &*beginning : nullptr);
  job.watch(loaded.run.watchdog_seconds, fs::path(out) / ".heartbeat");
  print_model(console, loaded, experiment);
  if (resumed)
    console.line(
        fmt::format("goes on from {}, after step {}", resumed->name, experiment.trainer().steps_done()));
  if (beginning) console.line(describe_beginning(*beginning, experiment.trainer()));

  if (!arguments.trace.empty()) begin_trace(job, arguments.trace);
  const int code = train_to_the_end(training, loaded.run, experiment.trainer(), console);
  if (!arguments.trace.empty()) write_trace(job, arguments.trace);
  return code;
}

}  // namespace lockstep::run
