#include "scaling/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "comm/background_sums.h"
#include "reduce/bucketed_sum.h"
#include "run/setup.h"
#include "scaling/timing.h"

namespace lockstep::scaling {
namespace {

using liveness::Activity;

// Nanoseconds of a step's parts.
struct StepTime {
  std::int64_t forward = 0, backward = 0, update = 0;
  std::int64_t all() const { return forward + backward + update; }
};

// The loads to measure: those of a few ranks of this experiment, and smaller ones, as long as they are short.
// least: the rows that a micro-batch must have.
std::vector<StepLoad> loads_of(std::size_t shards, std::size_t micro_batch, std::size_t samples,
                               std::size_t least) {
  constexpr std::size_t kMaxRows = 1024;
  const std::size_t most_rows = std::min(samples, kMaxRows);
  const std::size_t blocks = std::clamp<std::size_t>(most_rows / micro_batch, 1, shards);
  std::vector<StepLoad> loads;
  for (const std::size_t rows : {micro_batch, micro_batch / 4, micro_batch / 16})
    for (const std::size_t n : {blocks, (blocks + 1) / 2, (blocks + 3) / 4, std::size_t{1}})
      if (rows >= least && n * rows <= most_rows) loads.push_back({n, n * rows});
  if (loads.empty()) loads.push_back({1, most_rows});
  const auto as_pair = [](const StepLoad& load) { return std::pair(load.blocks, load.rows); };
  std::sort(loads.begin(), loads.end(), [&](auto& a, auto& b) { return as_pair(a) < as_pair(b); });
  loads.erase(
      std::unique(loads.begin(), loads.end(), [&](auto& a, auto& b) { return as_pair(a) == as_pair(b); }),
      loads.end());
  return loads;
}

const char* name_of(reduce::Mode mode) { return mode == reduce::Mode::kExact ? "exact" : "float"; }

// A rank's training by itself, on batches of a load.
class StepsAlone {
 public:
  StepsAlone(const config::RunConfig& run, const comm::Communicator& self, StepLoad load,
             const data::DatasetInfo& info, int threads, liveness::Progress& progress)
      : progress_(progress),
        run_(on_batches_of(load, run, info)),
        experiment_(run_, self, threads, {.progress = &progress}) {}

  // Whether that was an epoch's last one, which compares replicas.
  bool step() {
    trainer().step();
    return trainer().step_in_epoch() == 0 && experiment_.plan().steps_per_epoch() > 1;
  }

  // That steps have spent on an activity so far.
  std::int64_t nanoseconds_in(Activity activity) const {
    return std::llround(1e9 * progress_.seconds()[static_cast<std::size_t>(activity)]);
  }

 private:
  static config::RunConfig on_batches_of(StepLoad load, config::RunConfig run,
                                         const data::DatasetInfo& info) {
    constexpr std::size_t kStepsAnEpoch = 8;
    run.data.shards = load.blocks;
    run.train.batch_size = load.rows;
    run.data.train_samples = std::min(info.train_samples, kStepsAnEpoch * load.rows);
    run.data.test_samples = std::min<std::size_t>(info.test_samples, 1);
    run.train.optimizer.learning_rate = 0.0;
    run.train.schedule = {};  // some end at rates of their own
    run.train.check_replicas_every = 0;
    return run;
  }
  train::Trainer& trainer() { return experiment_.trainer(); }

  const liveness::Progress& progress_;
  config::RunConfig run_;
  run::Experiment experiment_;
};

// The median step.
StepTime measure_steps(StepsAlone& alone) {
  constexpr std::size_t kWarmUp = 2, kMin = 3, kMax = 40;
  constexpr std::int64_t kLongEnough = 150'000'000;
  std::vector<StepTime> times;
  std::int64_t spent = 0;
  for (std::size_t step = 0; times.size() < kMin || (times.size() < kMax && spent < kLongEnough); ++step) {
    const std::int64_t begin = nanoseconds_now(), gather = alone.nanoseconds_in(Activity::kGather),
                       forward = alone.nanoseconds_in(Activity::kForward),
                       backward = alone.nanoseconds_in(Activity::kBackward);
    const bool last = alone.step();
    if (step < kWarmUp || last) continue;
    StepTime time;
    const std::int64_t all = nanoseconds_now() - begin;
    time.forward =
        alone.nanoseconds_in(Activity::kGather) - gather + alone.nanoseconds_in(Activity::kForward) - forward;
    time.backward = alone.nanoseconds_in(Activity::kBackward) - backward;
    time.update = std::max<std::int64_t>(1, all - time.forward - time.backward);
    times.push_back(time);
    spent += all;
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end(),
                   [](const StepTime& a, const StepTime& b) { return a.all() < b.all(); });
  return times[times.size() / 2];
}

class Measuring {
 public:
  Measuring(run::Job& job, const config::RunConfig& run, const run::Experiment& experiment)
      : job_(job),
        run_(run),
        info_(experiment.info()),
        loads_(loads_of(run.data.shards, experiment.plan().micro_batch(), info_.train_samples,
                        experiment.model().least_micro_batch())) {}

  // By rank 0 alone, or by all ranks at once, of which the slowest counts. Collective.
  LayoutCost layout(bool all_at_once, int ranks_on_host, int threads) const {
    const comm::Communicator& world = job_.world;
    LayoutCost cost{ranks_on_host, threads, {}};
    for (const StepLoad& load : loads_) {
      job_.stop_if_asked("while steps were measured");
      std::array<std::int64_t, 3> slowest = {};
      liveness::enter(&job_.progress, liveness::Activity::kOtherGroups);  // ranks that do not measure wait
      world.all_or_none([&] {
        if (world.rank() > 0 && !all_at_once) return;
        StepsAlone alone(run_, job_.self, load, info_, threads, job_.progress);
        const StepTime time = measure_steps(alone);
        slowest = {time.forward, time.backward, time.update};
      });
      world.allreduce_max(slowest);
      cost.steps.push_back({load,
                            {1e-9 * static_cast<double>(slowest[0]), 1e-9 * static_cast<double>(slowest[1]),
                             1e-9 * static_cast<double>(slowest[2])}});
    }
    return cost;
  }

  // The training of one of all ranks; nothing where it does not overlap with sums. Collective.
  std::unique_ptr<StepsAlone> beside_sums(int threads) const {
    const comm::Communicator& world = job_.world;
    std::unique_ptr<StepsAlone> alone;
    if (world.on_one_host() || !comm::BackgroundSums::possible()) return alone;
    const auto ranks = static_cast<std::size_t>(world.size());
    const StepLoad largest = loads_.back();
    const std::size_t blocks = std::max<std::size_t>(1, largest.blocks / ranks);
    world.all_or_none([&] {
      const StepLoad load{blocks, blocks * (largest.rows / largest.blocks)};
      alone = std::make_unique<StepsAlone>(run_, job_.self, load, info_, threads, job_.progress);
    });
    return alone;
  }

 private:
  run::Job& job_;
  const config::RunConfig& run_;
  const data::DatasetInfo& info_;
  std::vector<StepLoad> loads_;
};

// Seconds by which steps of a rank by itself take longer while so many numbers are summed in the background,
// for about as long as that takes. Collective.
double stolen_seconds(const comm::Communicator& world, reduce::ReduceOptions options, StepsAlone& steps_alone,
                      std::size_t parameters, double sum_seconds) {
  const double one = seconds_of(world, [&] { steps_alone.step(); });
  auto count = std::llround(std::ceil(1.5 * sum_seconds / one));
  count = -world.allreduce_min(-count);
  const auto steps = [&] {
    for (std::int64_t i = 0; i < count; ++i) steps_alone.step();
  };
  const double alone = seconds_of(world, steps);
  options.overlap = reduce::Overlap::kAlways;
  reduce::BucketedSum<std::int32_t> sum(parameters, options, world, /*threads=*/1);
  const double beside = seconds_of(
      world,
      [&] {
        sum.complete_from(1);  // the last element leaves in finish(), so that the sum is not paused
        steps();
      },
      [&] { sum.finish(); });
  return std::max(0.0, beside - alone);
}

// Inverts the model's formulas. beside: what goes on while sums do, if they may.
Network measure_network(const comm::Communicator& world, reduce::ReduceOptions options, StepsAlone* beside,
                        std::size_t parameters) {
  const double p = world.size(), messages = 2.0 * std::ceil(std::log2(p));
  std::int64_t number = 1;
  const double small = seconds_of(world, [&] { world.allreduce_sum(std::span(&number, 1)); });
  reduce::ReduceOptions at_the_end = options;
  at_the_end.shared_memory = options.shared_memory && options.wire == reduce::Wire::kFull &&
                             options.overlap != reduce::Overlap::kAlways;
  options.wire = at_the_end.wire = reduce::Wire::kFull;
  at_the_end.overlap = reduce::Overlap::kNever;
  reduce::BucketedSum<std::int32_t> sum(parameters, at_the_end, world, /*threads=*/1);
  sum.finish();
  const double whole = seconds_of(world, [&] { sum.finish(); });
  const double moved = 2.0 * (p - 1.0) / p * static_cast<double>(parameters) * sizeof(std::int32_t);
  const double stolen = beside ? stolen_seconds(world, options, *beside, parameters, whole) : 0.0;
  const double buckets =
      world.on_one_host()
          ? 1.0
          : std::ceil(static_cast<double>(parameters * sizeof(std::int32_t)) /
                      static_cast<double>(reduce::bucket_bytes(at_the_end, /*overlapped=*/false)));
  return {"measured", small / messages, std::max(0.0, whole - buckets * small) / moved, stolen / moved};
}

nlohmann::ordered_json to_json(const LayoutCost& layout) {
  nlohmann::ordered_json json = {{"ranks_on_host", layout.ranks_on_host}, {"threads", layout.threads}};
  for (const auto& [load, seconds] : layout.steps)
    json["steps"].push_back({{"blocks", load.blocks},
                             {"rows", load.rows},
                             {"forward", seconds.forward},
                             {"backward", seconds.backward},
                             {"update", seconds.update}});
  return json;
}

// Files of version 0.1, which knew dense layers only, have no work: it is as many as there are elements.
std::vector<TensorLoad> tensors_from(const nlohmann::ordered_json& json) {
  const auto elements = json.at("tensors").get<std::vector<std::size_t>>();
  const auto work = json.value("work", elements);
  std::vector<TensorLoad> tensors;
  for (std::size_t t = 0; t < std::min(elements.size(), work.size()); ++t)
    tensors.push_back({elements[t], work[t]});
  return tensors;
}

LayoutCost layout_from(const nlohmann::ordered_json& json) {
  LayoutCost layout{json.at("ranks_on_host").get<int>(), json.at("threads").get<int>(), {}};
  for (const auto& step : json.at("steps"))
    layout.steps.push_back({{step.at("blocks").get<std::size_t>(), step.at("rows").get<std::size_t>()},
                            {step.at("forward").get<double>(), step.at("backward").get<double>(),
                             step.at("update").get<double>()}});
  return layout;
}

// Whether the model can work with it.
bool sensible(const LayoutCost& layout) {
  const auto positive = [](const MeasuredStep& step) {
    return step.seconds.forward > 0.0 && step.seconds.backward > 0.0 && step.seconds.update > 0.0;
  };
  return layout.ranks_on_host > 0 && layout.threads > 0 && !layout.steps.empty() &&
         std::all_of(layout.steps.begin(), layout.steps.end(), positive);
}

nlohmann::ordered_json to_json(const Network& network) {
  return {{"latency", network.latency},
          {"seconds_per_byte", network.seconds_per_byte},
          {"stolen_per_byte", network.stolen_per_byte}};
}

Network network_from(const nlohmann::ordered_json& json) {
  return {"measured", json.at("latency").get<double>(), json.at("seconds_per_byte").get<double>(),
          json.at("stolen_per_byte").get<double>()};
}

bool sensible(const std::optional<Network>& network) {
  return !network ||
         (network->latency >= 0.0 && network->seconds_per_byte >= 0.0 && network->stolen_per_byte >= 0.0);
}

}  // namespace

std::vector<TensorLoad> tensor_loads(const nn::Model& model) {
  std::vector<TensorLoad> loads;
  for (std::size_t t = 0; t < model.tensors().size(); ++t)
    loads.push_back({model.tensors()[t].size, model.work(t)});
  return loads;
}

Calibration expected_calibration(const config::RunConfig& run, const run::Experiment& experiment,
                                 const std::string& kernel_family) {
  Calibration calibration;
  calibration.tensors = tensor_loads(experiment.model());
  calibration.kernel_family = kernel_family;
  calibration.mode = name_of(run.reduce.mode);
  return calibration;
}

Calibration calibrate(run::Job& job, const config::RunConfig& run, const run::Experiment& experiment,
                      const std::string& kernel_family, int threads) {
  const comm::Communicator& world = job.world;
  // Of the most crowded host: all ranks measure the same layouts.
  const auto ranks_on_host = static_cast<int>(-world.allreduce_min(-world.of_this_host().size()));
  Calibration calibration = expected_calibration(run, experiment, kernel_family);
  const Measuring measuring(job, run, experiment);
  if (ranks_on_host > 1) calibration.layouts.push_back(measuring.layout(false, 1, threads));
  calibration.layouts.push_back(measuring.layout(true, ranks_on_host, threads));
  if (world.size() > 1) {
    auto& network = world.on_one_host() ? calibration.within_host : calibration.between_hosts;
    const std::unique_ptr<StepsAlone> beside = measuring.beside_sums(threads);
    network = measure_network(world, run.reduce, beside.get(), experiment.model().parameters());
  }
  return calibration;
}

Calibration merged(Calibration before, const Calibration& measured) {
  before.tensors = measured.tensors;
  before.kernel_family = measured.kernel_family;
  before.mode = measured.mode;
  for (const LayoutCost& layout : measured.layouts) {
    std::erase_if(before.layouts, [&](const LayoutCost& old) {
      return old.ranks_on_host == layout.ranks_on_host && old.threads == layout.threads;
    });
    before.layouts.push_back(layout);
  }
  if (measured.within_host) before.within_host = measured.within_host;
  if (measured.between_hosts) before.between_hosts = measured.between_hosts;
  return before;
}

Calibration read_calibration(const std::filesystem::path& path, const Calibration& expected) {
  Calibration calibration;
  try {
    const auto json = nlohmann::ordered_json::parse(read_file(path));
    calibration.tensors = tensors_from(json);
    calibration.kernel_family = json.at("kernel_family").get<std::string>();
    calibration.mode = json.at("mode").get<std::string>();
    for (const auto& layout : json.at("layouts")) calibration.layouts.push_back(layout_from(layout));
    if (json.contains("within_host")) calibration.within_host = network_from(json.at("within_host"));
    if (json.contains("between_hosts")) calibration.between_hosts = network_from(json.at("between_hosts"));
  } catch (const nlohmann::json::exception& error) {
    throw ConfigError(fmt::format("{}: {}, expected what lockstep predict --calibration wrote", path.string(),
                                  error.what()));
  } catch (const std::system_error& error) {
    throw ConfigError(fmt::format("{}: cannot be read: {}", path.string(), error.code().message()));
  }
  if (!std::all_of(calibration.layouts.begin(), calibration.layouts.end(),
                   [](const LayoutCost& layout) { return sensible(layout); }) ||
      !sensible(calibration.within_host) || !sensible(calibration.between_hosts))
    throw ConfigError(
        fmt::format("{}: a layout without steps, or a time that is not positive, expected "
                    "what lockstep predict --calibration wrote",
                    path.string()));
  if (calibration.layouts.empty() || calibration.tensors != expected.tensors)
    throw ConfigError(fmt::format(
        "{}: is of another network, expected one with the tensors of this configuration", path.string()));
  if (calibration.kernel_family != expected.kernel_family || calibration.mode != expected.mode)
    throw ConfigError(fmt::format("{}: was measured with {} kernels and {} reduction, expected {} and {}",
                                  path.string(), calibration.kernel_family, calibration.mode,
                                  expected.kernel_family, expected.mode));
  return calibration;
}

void write_calibration(const std::filesystem::path& path, const Calibration& calibration) {
  nlohmann::ordered_json json = {{"tensors", nlohmann::ordered_json::array()},
                                 {"work", nlohmann::ordered_json::array()}};
  for (const auto& [elements, work] : calibration.tensors) {
    json["tensors"].push_back(elements);
    json["work"].push_back(work);
  }
  json["kernel_family"] = calibration.kernel_family;
  json["mode"] = calibration.mode;
  json["layouts"] = nlohmann::ordered_json::array();
  for (const LayoutCost& layout : calibration.layouts) json["layouts"].push_back(to_json(layout));
  if (calibration.within_host) json["within_host"] = to_json(*calibration.within_host);
  if (calibration.between_hosts) json["between_hosts"] = to_json(*calibration.between_hosts);
  run::writing(path, [&] { write_file_atomically(path, json.dump(2) + "\n"); });
}

}  // namespace lockstep::scaling
