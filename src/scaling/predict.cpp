#include "scaling/predict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/version.h"
#include "run/experiment.h"
#include "run/setup.h"
#include "scaling/calibration.h"

namespace lockstep::scaling {

namespace {

// "4x2": 4 ranks of 2 threads.
std::pair<int, int> layout_of(const std::string& text) {
  int ranks = 0, threads = 0;
  const char *begin = text.data(), *end = begin + text.size();
  const auto first = std::from_chars(begin, end, ranks);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == 'x') {
    const auto second = std::from_chars(first.ptr + 1, end, threads);
    if (second.ec == std::errc() && second.ptr == end && ranks > 0 && threads > 0) return {ranks, threads};
  }
  throw ConfigError(fmt::format("--at is {}, expected RANKSxTHREADS such as 4x1", text));
}

Workload workload_of(const config::RunConfig& run, const run::Experiment& experiment) {
  Workload workload;
  workload.samples = experiment.info().train_samples;
  workload.shards = run.data.shards;
  workload.batch = run.train.batch_size;
  workload.sums = sums_of(run, experiment.model());
  return workload;
}

// The predictions over one network.
class Forecast {
 public:
  Forecast(const ScalingModel& model, const PredictArguments& arguments, std::string network)
      : model_(model), arguments_(arguments), network_(std::move(network)) {
    const std::vector<int> threads = model.threads();
    one_ = model.predict(1, threads.front(), arguments.weak);
    if (!arguments.at.empty()) {
      for (const std::string& text : arguments.at) add(text);
      return;
    }
    for (int cores = threads.front(); cores <= arguments.most; cores *= 2) {
      const Prediction best = model.best_on(cores, arguments.weak);
      if (best.ranks * best.threads == cores) rows_.push_back(best);
    }
    if (rows_.empty())
      throw ConfigError(fmt::format(
          "nothing to predict: the measured layouts have {} threads per rank, expected --most and "
          "--cores-per-host to leave room for them",
          fmt::join(threads, ", ")));
  }

  void print(report::Console& console) const {
    console.line(fmt::format("\nover {}", network_));
    console.line(
        fmt::format("{:>5} {:>5} {:>5}{:>8} {:>6} | {:>8} {:>8} {:>8} {:>6} {:>8} | {:>8} {:>8} {:>5}  {}",
                    "cores", "hosts", "ranks", "threads", "shards", "forward", "backward", "sum left",
                    "hidden", "update", "epoch s", "speed-up", "eff.", "most is lost to"));
    for (const Prediction& row : rows_) {
      console.line(
          fmt::format("{:>5} {:>5} {:>5}{:>8} {:>5}{} | {:>8.3f} {:>8.3f} {:>8.3f} {:>5.0f}% {:>8.3f} | "
                      "{:>8.4g} {:>8.1f} {:>4.0f}%  {}",
                      row.ranks * row.threads, row.hosts, row.ranks, row.threads, row.shards,
                      other_shards(row) ? '*' : ' ', 1e3 * row.step.forward, 1e3 * row.step.backward,
                      1e3 * row.exposed(), 1e2 * row.hidden, 1e3 * update(row), row.epoch, speed_up(row),
                      1e2 * efficiency(row), row.ranks == 1 ? "" : ScalingModel::limit(one_, row)));
    }
    if (std::any_of(rows_.begin(), rows_.end(), [&](const Prediction& row) { return other_shards(row); }))
      console.line(
          "* needs data.shards to be as many, and to divide the batch: another experiment, of smaller "
          "micro-batches");
  }

  static std::string csv_header() {
    return "network,cores,hosts,ranks,threads,shards,batch_size,forward_seconds,backward_seconds,exposed_"
           "seconds,"
           "hidden,update_seconds,epoch_seconds,samples_per_second,speed_up,efficiency\n";
  }
  std::string csv() const {
    std::string text;
    for (const Prediction& row : rows_)
      text +=
          fmt::format("{},{},{},{},{},{},{},{:.6g},{:.6g},{:.6g},{:.4f},{:.6g},{:.6g},{:.6g},{:.5g},{:.5f}\n",
                      network_, row.ranks * row.threads, row.hosts, row.ranks, row.threads, row.shards,
                      row.batch, row.step.forward, row.step.backward, row.exposed(), row.hidden, update(row),
                      row.epoch, row.samples_per_second(model_.workload()), speed_up(row), efficiency(row));
    return text;
  }

 private:
  void add(const std::string& text) {
    const auto [ranks, threads] = layout_of(text);
    const std::vector<int> known = model_.threads();
    if (std::find(known.begin(), known.end(), threads) == known.end())
      throw ConfigError(fmt::format("--at is {}, expected a number of threads that was measured: {}", text,
                                    fmt::join(known, ", ")));
    const std::size_t batch = model_.workload().batch;
    if (!arguments_.weak && static_cast<std::size_t>(ranks) > batch)
      throw ConfigError(fmt::format(
          "--at is {}, expected at most as many ranks as train.batch_size, which is {}", text, batch));
    rows_.push_back(model_.predict(ranks, threads, arguments_.weak));
  }
  // With all that is left of the step.
  static double update(const Prediction& row) { return row.step.update + row.step.rest; }
  bool other_shards(const Prediction& row) const {
    return !arguments_.weak && row.shards != model_.workload().shards;
  }
  double speed_up(const Prediction& row) const { return one_.epoch / row.epoch; }
  double efficiency(const Prediction& row) const {
    return speed_up(row) * one_.threads / (static_cast<double>(row.ranks) * row.threads);
  }

  const ScalingModel& model_;
  const PredictArguments& arguments_;
  std::string network_;
  Prediction one_;
  std::vector<Prediction> rows_;
};

}  // namespace

void predict(run::Job& job, const PredictArguments& arguments) {
  const comm::Communicator& world = job.world;
  const run::LoadedConfig loaded = run::load_config(world, arguments.config, arguments.overrides);
  const run::Compute compute = run::agree_on_compute(loaded.run.compute, world);
  report::Console& console = job.console;
  job.watch(loaded.run.watchdog_seconds);
  const run::Experiment experiment(loaded.run, world, compute.threads, job.supervision());
  std::vector<Network> networks;
  Calibration calibration;
  const bool goes_on = !arguments.calibration.empty();
  world.all_or_none([&] {
    for (const std::string& name : arguments.networks) networks.push_back(network_of(name));
    for (const std::string& text : arguments.at) layout_of(text);
    if (arguments.no_measure && !goes_on) throw ConfigError("--no-measure needs a --calibration to read");
    if (world.rank() == 0 && goes_on &&
        (arguments.no_measure || std::filesystem::exists(arguments.calibration)))
      calibration = read_calibration(arguments.calibration,
                                     expected_calibration(loaded.run, experiment, compute.kernel_names()));
  });
  console.line(
      fmt::format("lockstep {}: {}", kVersion, run::describe_run(loaded.run, world.size(), compute)));
  if (!arguments.no_measure) {
    const Calibration measured =
        calibrate(job, loaded.run, experiment, compute.kernel_names(), compute.threads);
    calibration = merged(std::move(calibration), measured);
  }
  world.all_or_none([&] {
    if (world.rank() != 0) return;
    if (goes_on && !arguments.no_measure) write_calibration(arguments.calibration, calibration);
    int cores = 1;
    for (const LayoutCost& layout : calibration.layouts) {
      cores = std::max(cores, layout.ranks_on_host * layout.threads);
      console.line(
          fmt::format("measured: {} rank{} on a host x {} thread{}, a step follows from others to {:.0f} %",
                      layout.ranks_on_host, layout.ranks_on_host == 1 ? "" : "s", layout.threads,
                      layout.threads == 1 ? "" : "s", 1e2 * layout.error()));
    }
    // What shared memory gives where nobody measured it.
    const Network within = calibration.within_host.value_or(Network{"assumed", 2e-6, 2e-10, 0.0});
    if (arguments.networks.empty()) networks = {calibration.between_hosts.value_or(network_of("25gbit"))};
    console.line(fmt::format("sums within a host: {}, {:.1f} us a message, {:.1f} GB/s", within.name,
                             1e6 * within.latency, 1e-9 / std::max(within.seconds_per_byte, 1e-12)));
    const int cores_per_host = arguments.cores_per_host > 0 ? arguments.cores_per_host : cores;
    console.line(fmt::format("{} samples, batch {}{} in {} shards; {} cores per host; milliseconds of a step",
                             experiment.info().train_samples, loaded.run.train.batch_size,
                             arguments.weak ? " a rank" : "", loaded.run.data.shards, cores_per_host));
    std::string csv = Forecast::csv_header();
    for (const Network& network : networks) {
      const ScalingModel model(workload_of(loaded.run, experiment), {cores_per_host, network, within},
                               calibration.layouts);
      const Forecast forecast(
          model, arguments,
          fmt::format("{}{}", network.name,
                      network.name == "measured"
                          ? fmt::format(" ({:.1f} us; {:.2f} Gbit/s)", 1e6 * network.latency,
                                        8e-9 / std::max(network.seconds_per_byte, 1e-12))
                          : ""));
      forecast.print(console);
      csv += forecast.csv();
    }
    if (!arguments.csv.empty())
      run::writing(arguments.csv, [&] { write_file_atomically(arguments.csv, csv); });
  });
}

}  // namespace lockstep::scaling
