#include "scaling/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "base/clock.h"
#include "comm/background_sums.h"
#include "reduce/bucketed_sum.h"
#include "reduce/division.h"
#include "reduce/scales.h"
#include "reduce/statistics_sum.h"
#include "scaling/timing.h"
#include "train/score.h"

namespace lockstep::scaling {
namespace {

using liveness::Activity;

// Nanoseconds of a step's parts.
struct StepTime {
  std::int64_t forward = 0, backward = 0, update = 0, rest = 0;
  std::int64_t all() const { return forward + backward + update + rest; }
};

// The rows whose steps are short enough to be measured several times: some seconds of a core at most.
std::size_t rows_to_measure(const nn::Model& model) {
  constexpr std::size_t kMaxRows = 1024, kMaxWork = 50'000'000'000;  // multiply-adds, forward
  std::size_t work = 1;
  for (std::size_t t = 0; t < model.tensors().size(); ++t) work += model.work(t);
  return std::clamp<std::size_t>(kMaxWork / work, 1, kMaxRows);
}

// The loads to measure: those of a few ranks of this experiment, and smaller ones, of so many rows together.
// least: the rows that a micro-batch must have.
std::vector<StepLoad> loads_of(std::size_t shards, std::size_t micro_batch, std::size_t most_rows,
                               std::size_t least) {
  std::vector<StepLoad> loads;
  for (const std::size_t rows : {micro_batch, micro_batch / 4, micro_batch / 16}) {
    if (rows < std::max<std::size_t>(least, 1) || rows > most_rows) continue;
    const std::size_t blocks = std::min(most_rows / rows, shards);
    for (const std::size_t part : {std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{8}, blocks}) {
      const std::size_t n = (blocks + part - 1) / part;
      loads.push_back({n, n * rows});
    }
  }
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
                       backward = alone.nanoseconds_in(Activity::kBackward),
                       update = alone.nanoseconds_in(Activity::kUpdate);
    const bool last = alone.step();
    if (step < kWarmUp || last) continue;
    StepTime time;
    const std::int64_t all = nanoseconds_now() - begin;
    time.forward =
        alone.nanoseconds_in(Activity::kGather) - gather + alone.nanoseconds_in(Activity::kForward) - forward;
    time.backward = alone.nanoseconds_in(Activity::kBackward) - backward;
    time.update = std::max<std::int64_t>(1, alone.nanoseconds_in(Activity::kUpdate) - update);
    time.rest = std::max<std::int64_t>(1, all - time.forward - time.backward - time.update);
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
        loads_(loads_of(run.data.shards, experiment.plan().micro_batch(),
                        std::min(info_.train_samples, rows_to_measure(experiment.model())),
                        experiment.model().least_micro_batch())) {}

  // By rank 0 alone, or by all ranks at once, of which the slowest counts. Collective.
  LayoutCost layout(bool all_at_once, int ranks_on_host, int threads) const {
    const comm::Communicator& world = job_.world;
    LayoutCost cost{ranks_on_host, threads, {}};
    for (const StepLoad& load : loads_) {
      job_.stop_if_asked("while steps were measured");
      std::array<std::int64_t, 4> slowest = {};
      liveness::enter(&job_.progress, liveness::Activity::kOtherGroups);  // ranks that do not measure wait
      world.all_or_none([&] {
        if (world.rank() > 0 && !all_at_once) return;
        StepsAlone alone(run_, job_.self, load, info_, threads, job_.progress);
        const StepTime time = measure_steps(alone);
        slowest = {time.forward, time.backward, time.update, time.rest};
      });
      world.allreduce_max(slowest);
      cost.steps.push_back(
          {load,
           {1e-9 * static_cast<double>(slowest[0]), 1e-9 * static_cast<double>(slowest[1]),
            1e-9 * static_cast<double>(slowest[2]), 1e-9 * static_cast<double>(slowest[3])}});
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

// Of the network that joins these ranks. within: of the hosts, where there are several, of several ranks.
// beside: what goes on while sums do, if they may.
Network measure_network(const comm::Communicator& world, int hosts, const Network& within,
                        reduce::ReduceOptions options, StepsAlone* beside, std::size_t parameters) {
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
  const double bytes = static_cast<double>(parameters * sizeof(std::int32_t));
  const double bucket = static_cast<double>(reduce::bucket_bytes(at_the_end, /*overlapped=*/false));
  const double buckets = hosts == 1 ? 1.0 : std::ceil(bytes / bucket);
  Network network = network_from(world.size(), hosts, within, small, whole, bytes, buckets);
  if (beside == nullptr) return network;
  const double stolen = stolen_seconds(world, options, *beside, parameters, whole);
  network.stolen_per_byte = 1.0;  // what a path makes of it
  network.stolen_per_byte =
      stolen / (bytes * path_of_sum({1, network, within}, world.size(), hosts).stolen_per_byte);
  return network;
}

// Of backward a product for the gradient of its weights and one for that of its inputs, which the first layer
// that learns leaves out; before that one backward ends. A dense layer goes forward with the rows of its
// weights (out, in) that are there; any other needs all of its tensors.
std::vector<TensorLoad> tensor_loads(const nn::Model& model) {
  const std::vector<nn::Tensor>& tensors = model.tensors();
  const auto first =
      static_cast<std::size_t>(std::ranges::find_if(tensors, &nn::Tensor::learns) - tensors.begin());
  std::vector<TensorLoad> loads;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const std::size_t products =
        t < first ? 0
                  : (tensors[t].learns() ? 1U : 0U) + (model.layer_of(t) > model.layer_of(first) ? 1U : 0U);
    loads.push_back({.elements = tensors[t].size,
                     .backward = products * model.work(t),
                     .forward = model.work(t),
                     .in_slices = tensors[t].shape.size() == 2});
    const bool joined = t > 0 && model.layer_of(t - 1) == model.layer_of(t) && !loads[t - 1].in_slices;
    if (joined) loads[t].forward += std::exchange(loads[t - 1].forward, 0);
  }
  return loads;
}

}  // namespace

Sums sums_of(const config::RunConfig& run, const nn::Model& model) {
  Sums sums;
  sums.tensors = tensor_loads(model);
  const bool exact = run.reduce.mode == reduce::Mode::kExact;
  sums.few_bytes = sizeof(std::int64_t) * (train::kRankSums + reduce::StatisticsSum(model).words()) +
                   (exact ? sizeof(std::int32_t) * reduce::Scales::kSlots * model.tensors().size() : 0);
  if (!exact) sums.part_sums.push_back(sizeof(std::int64_t));  // whether all are finite
  if (run.train.clip_norm != 0.0 || run.train.optimizer.kind == optim::OptimizerOptions::Kind::kLars)
    sums.part_sums.push_back(sizeof(std::int64_t) * reduce::Division(model.tensors()).all().size());
  if (run.reduce.wire != reduce::Wire::kFull) sums.bytes_per_number = 2.0;
  sums.update = run.reduce.update;
  sums.bucket_bytes = reduce::bucket_bytes(run.reduce, /*overlapped=*/true);
  sums.bucket_bytes_at_the_end = reduce::bucket_bytes(run.reduce, /*overlapped=*/false);
  sums.overlap_on_one_host = run.reduce.overlap == reduce::Overlap::kAlways;
  sums.overlap_across_hosts = run.reduce.overlap != reduce::Overlap::kNever;
  sums.bucket_bytes_given = run.reduce.bucket_bytes != 0;
  sums.in_memory = run.reduce.shared_memory && run.reduce.wire == reduce::Wire::kFull;
  sums.two_levels = run.reduce.shared_memory && run.reduce.levels != reduce::Levels::kOne;
  return sums;
}

Calibration expected_calibration(const config::RunConfig& run, const run::Experiment& experiment,
                                 const std::string& kernel_family) {
  Calibration calibration;
  calibration.sums = sums_of(run, experiment.model());
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
  const std::size_t parameters = experiment.model().parameters();
  const comm::Communicator host = world.of_this_host();
  const std::vector<std::int64_t> first = world.allgather(host.rank() == 0 ? 1 : 0);
  const auto hosts = static_cast<int>(std::accumulate(first.begin(), first.end(), std::int64_t{0}));
  // Where all hosts have several ranks, or there is one: they are alike, and those of the first host count.
  if (world.allreduce_min(host.size()) > 1)
    calibration.within_host = measure_network(host, 1, {}, run.reduce, nullptr, parameters);
  if (hosts > 1) {
    const std::unique_ptr<StepsAlone> beside = measuring.beside_sums(threads);
    calibration.between_hosts = measure_network(world, hosts, calibration.within_host.value_or(Network{}),
                                                run.reduce, beside.get(), parameters);
  }
  return calibration;
}

Calibration merged(Calibration before, const Calibration& measured) {
  before.sums = measured.sums;
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

}  // namespace lockstep::scaling
