#include "run/sanity.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/version.h"
#include "run/experiment.h"
#include "run/sample_images.h"
#include "run/sanity_data.h"
#include "run/sanity_training.h"
#include "run/setup.h"
#include "run/small_batch.h"
#include "train/gradient_check.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::size_t kShownImages = 25, kShownPoints = 500;
constexpr std::size_t kGradientSamples = 8, kGradientElements = 4;

// What is found, check by check: told as it is, and kept for the table.
class Findings {
 public:
  explicit Findings(report::Console console) : console_(std::move(console)) {}

  void add(Check check) {
    console_.line(fmt::format("{:<17}  {}  {}", check.name, check.holds ? "pass" : "FAIL", check.found));
    checks.push_back(std::move(check));
  }
  void add_curve(const ShortOutcome& outcome) {
    curves.push_back({{"name", outcome.name}, {"losses", outcome.losses}});
  }
  bool hold() const { return std::ranges::all_of(checks, &Check::holds); }

  std::vector<Check> checks;
  ordered_json curves = ordered_json::array(), classes = ordered_json::array();
  ordered_json levels, samples;  // what curves are compared with; the first samples

 private:
  report::Console console_;
};

void look_at_data(const data::Dataset& dataset, const config::RunConfig& run, Findings& findings) {
  const data::DatasetInfo info = dataset.info();
  const SampleHashes train = hash_split(dataset, data::Split::kTrain),
                     test = hash_split(dataset, data::Split::kTest);
  findings.add(check_inputs(dataset, run.data.normalize));
  findings.add(check_targets(info, train, test));
  findings.add(check_contradictions(train));
  if (!test.targets.empty()) findings.add(check_overlap(train, test));
  const std::vector<std::size_t> trained = class_counts(info, train.targets),
                                 tested = class_counts(info, test.targets);
  for (std::size_t c = 0; c < info.classes; ++c)
    findings.classes.push_back({{"name", info.class_name(c)}, {"train", trained[c]}, {"test", tested[c]}});
}

Check check_backward(Job& job, config::RunConfig run, int threads, double tolerance) {
  job.world.all_or_none([&] { run.train.batch_size = small_batch(run, kGradientSamples); });
  run.init_from.clear();
  Experiment experiment(run, job.self, threads, job.supervision());
  const auto checks = train::check_gradient(experiment.trainer(), kGradientElements);
  const auto worst = std::ranges::max_element(checks, {}, &train::TensorCheck::worst);
  return check("gradient", [&] {
    const std::string text = fmt::format("{} tensors, worst relative error {:.2e} in {}", checks.size(),
                                         worst->worst, experiment.model().tensors()[worst->tensor].name);
    if (!(worst->worst <= tolerance))
      throw ConfigError(
          fmt::format("{}, expected at most {:g}: lockstep gradcheck says where", text, tolerance));
    return text;
  });
}

void train_and_look(Job& job, const config::RunConfig& run, int threads, bool classes, Findings& findings) {
  SanityPlan plan;
  job.world.all_or_none([&] { plan = plan_sanity(run); });
  const auto briefly = [&](const ShortTraining& training) {
    ShortOutcome outcome = train_briefly(job, run, threads, training);
    findings.add_curve(outcome);
    return outcome;
  };
  const ShortOutcome labels = briefly(plan.labels);
  findings.levels = {{"all outputs 0", labels.zero_loss}, {"the targets' shares", labels.constant_loss}};
  findings.add(check_first_loss(labels, run.model.loss));
  findings.add(check_few_samples(briefly(plan.few), plan.few.batch, plan.few.stop_below));
  findings.add(check_labels(labels, briefly(plan.shuffled), classes));
  findings.add(check_zero_inputs(briefly(plan.zeros)));
}

// The first samples, as a picture has them: the labels of images, the points of a plane.
ordered_json first_samples(const data::Dataset& dataset) {
  const data::DatasetInfo info = dataset.info();
  const bool images = are_images(info), points = !info.pixels && info.features() == 2;
  if (!images && !points) return ordered_json::object();
  const auto ids = spread_over(info.train_samples, images ? kShownImages : kShownPoints);
  const data::SampleStore samples = dataset.load(data::Split::kTrain, ids);
  ordered_json list = ordered_json::array();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const ordered_json target =
        info.classes > 0 ? ordered_json(info.class_name(static_cast<std::size_t>(samples.targets[i])))
                         : ordered_json(samples.targets[i]);
    if (images)
      list.push_back(target);
    else
      list.push_back({samples.value_row(i)[0], samples.value_row(i)[1], target});
  }
  return {{images ? "images" : "points", list}};
}

void write(const fs::path& folder, const std::string& document, const data::Dataset& dataset) {
  writing(folder, [&] {
    fs::create_directories(folder);
    write_file_atomically(folder / "sanity.json", document);
    if (const data::DatasetInfo info = dataset.info(); are_images(info))
      write_file_atomically(
          folder / "sanity.ppm",
          sample_images(dataset, data::Split::kTrain, spread_over(info.train_samples, kShownImages)));
  });
}

}  // namespace

bool sanity(Job& job, const SanityArguments& arguments) {
  const comm::Communicator& world = job.world;
  world.all_or_none([&] {
    if (world.size() > 1)
      throw ConfigError(
          fmt::format("sanity has {} ranks, expected one: it is a matter of a minute, and its "
                      "numbers are those of any number",
                      world.size()));
  });
  const LoadedConfig loaded = load_config(world, arguments.config, arguments.overrides);
  const Compute compute = agree_on_compute(loaded.run.compute, world);
  report::Console console = arguments.json ? report::Console(false) : job.console;
  console.line(fmt::format("lockstep {}: {}", kVersion, describe_run(loaded.run, world.size(), compute)));
  if (!loaded.run.init_from.empty())
    console.line("train.init_from is left out: the weights are those that model.init draws");
  job.watch(loaded.run.watchdog_seconds);
  Findings findings(console);
  std::unique_ptr<data::Dataset> dataset;
  world.all_or_none([&] {
    dataset = data::open_dataset(loaded.run.data);
    look_at_data(*dataset, loaded.run, findings);
  });
  train_and_look(job, loaded.run, compute.threads, dataset->info().classes > 0, findings);
  findings.add(check_backward(job, loaded.run, compute.threads, arguments.tolerance));
  const auto broken = std::ranges::count(findings.checks, false, &Check::holds);
  console.line(broken == 0 ? fmt::format("all {} checks hold", findings.checks.size())
                           : fmt::format("{} of {} checks do not hold", broken, findings.checks.size()));
  world.all_or_none([&] {
    ordered_json document = {{"configuration", loaded.name},       {"holds", findings.hold()},
                             {"checks", to_json(findings.checks)}, {"classes", findings.classes},
                             {"curves", findings.curves},          {"levels", findings.levels}};
    document.update(first_samples(*dataset));
    const std::string text = document.dump(2);
    if (arguments.json) job.console.line(text);
    if (!arguments.out.empty()) write(arguments.out, text + "\n", *dataset);
  });
  return findings.hold();
}

}  // namespace lockstep::run
