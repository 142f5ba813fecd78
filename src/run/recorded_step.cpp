#include "run/recorded_step.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "npz/npz.h"
#include "run/compute.h"
#include "run/experiment.h"
#include "run/memory.h"
#include "run/setup.h"
#include "run/small_batch.h"

namespace lockstep::run {
namespace {

// What recording and checking a step takes: every output and gradient, once as recorded and once in double,
// and as long as these are worked out once more.
std::uint64_t bytes_of_arrays(const nn::Model& model, std::size_t rows) {
  std::uint64_t widths = model.inputs();
  for (const auto& layer : model.layers()) widths += layer->outputs();
  return 6 * sizeof(double) * widths * rows;
}

std::vector<std::int64_t> as_integers(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// Reads the arrays of a step's file, and says of what is wrong which it is.
class StepReader {
 public:
  explicit StepReader(const std::filesystem::path& path) : path_(path.string()), file_(path) {}

  const npz::ArrayInfo& info(const std::string& name) { return file_.arrays()[place(name)]; }
  std::string text(const std::string& name) { return file_.text(place(name)); }
  std::vector<double> values(const std::string& name) {
    std::vector<double> values = file_.values(place(name));
    for (const double x : values)
      if (!std::isfinite(x)) fail(fmt::format("{} has numbers that are not finite", name));
    return values;
  }
  // Whole numbers of 0 .. most.
  std::vector<double> counts(const std::string& name, double most) {
    std::vector<double> numbers = values(name);
    for (const double x : numbers)
      if (!(x >= 0.0 && x <= most && x == std::floor(x)))
        fail(fmt::format("{} has {:g}, expected whole numbers of 0 to {:g}", name, x, most));
    return numbers;
  }
  double number(const std::string& name) {
    const std::vector<double> numbers = values(name);
    if (numbers.size() != 1) fail(fmt::format("{} has {} numbers, expected one", name, numbers.size()));
    return numbers[0];
  }
  void expect_shape(const std::string& name, const std::vector<std::size_t>& shape) {
    const auto& found = info(name).type.shape;
    if (found != shape)
      fail(fmt::format("{} has shape {}, expected {}", name, npz::shape_text(found), npz::shape_text(shape)));
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(fmt::format("{}: {}", path_, what));
  }

 private:
  std::size_t place(const std::string& name) {
    const std::size_t index = file_.index_of(name);
    if (index == file_.arrays().size())
      fail(fmt::format("has no array {}, expected a file that lockstep trace-step wrote", name));
    return index;
  }

  std::string path_;
  npz::NpzFile file_;
};

}  // namespace

train::StepRules RecordedStep::rules() const {
  return {*model, run->model.loss, run->train, run->seed, threads};
}

RecordedStep record_step(Job& job, const StepChoice& choice, const std::string& command) {
  const comm::Communicator& world = job.world;
  LoadedConfig loaded = load_config(world, choice.config, choice.overrides);
  world.all_or_none([&] {
    if (world.size() > 1)
      throw ConfigError(fmt::format(
          "{} works on one rank, found {}, expected it without mpirun (a step is the same on any number)",
          command, world.size()));
    if (choice.samples != 0) loaded.run.train.batch_size = small_batch(loaded.run, choice.samples);
  });
  loaded.resolved["train"]["batch_size"] = loaded.run.train.batch_size;
  const Compute compute = agree_on_compute(loaded.run.compute, world);
  job.watch(loaded.run.watchdog_seconds);
  Experiment experiment(loaded.run, world, compute.threads, job.supervision());
  train::Trainer& trainer = experiment.trainer();
  const data::DatasetInfo& info = experiment.info();
  const std::size_t steps = loaded.run.train.epochs * experiment.plan().steps_per_epoch();
  world.all_or_none([&] {
    if (choice.step > steps)
      throw ConfigError(fmt::format("--step is {}, expected at most {}: {} epochs of {} steps", choice.step,
                                    steps, loaded.run.train.epochs, experiment.plan().steps_per_epoch()));
  });
  const std::size_t in_epoch = (choice.step - 1) % experiment.plan().steps_per_epoch();
  expect_room(world, experiment.bytes() +
                         bytes_of_arrays(experiment.model(), experiment.plan().batch_samples(in_epoch)));
  while (trainer.steps_done() + 1 < choice.step) {
    trainer.step();
    job.stop_if_asked("on the way to the step");
  }
  RecordedStep step{.name = loaded.name,
                    .toml = config::to_toml(loaded.resolved),
                    .run = std::make_unique<const config::RunConfig>(loaded.run),
                    .model = std::make_unique<const nn::Model>(model_of(loaded.run, info)),
                    .image = std::nullopt,
                    .classes = info.classes,
                    .target_unit = info.target_stddev,
                    .threads = compute.threads,
                    .trace = train::trace_step(trainer)};
  if (info.image) step.image = {info.image->channels, info.image->height, info.image->width};
  return step;
}

std::size_t write_step(const std::filesystem::path& path, const RecordedStep& step,
                       const std::string& readme) {
  const train::StepStart& start = step.trace.start;
  const train::StepLayout layout = step.layout();
  std::vector<npz::Entry> entries = {npz::of_text("README", readme)};
  for (const train::StepArray& array : layout.arrays()) {
    const std::vector<double> values = layout.values(array, start, step.trace.arrays);
    if (values.empty()) continue;
    using Kind = train::ArrayKind;
    if (array.kind == Kind::kTargets && step.classes != 0)
      entries.push_back(npz::of_integers(array.name, array.shape, as_integers(values)));
    else if (array.shape.empty())
      entries.push_back(npz::of_double(array.name, values[0]));
    else
      entries.push_back(
          npz::of_floats(array.name, array.shape, std::vector<float>(values.begin(), values.end())));
  }
  const auto integers = [&](const char* name, const auto& numbers) {
    entries.push_back(
        npz::of_integers(name, {numbers.size()}, std::vector<std::int64_t>(numbers.begin(), numbers.end())));
  };
  const auto integer = [&](const char* name, std::size_t number) {
    const auto value = static_cast<std::int64_t>(number);
    entries.push_back(npz::of_integers(name, {}, std::span(&value, 1)));
  };
  integers("sample_ids", start.sample_ids);
  integers("micro_batches", start.micro_batches);
  integer("step", start.step + 1);
  integer("classes", step.classes);
  entries.push_back(npz::of_double("target_unit", step.target_unit));
  entries.push_back(npz::of_text("config", step.toml));
  writing(path, [&] { npz::write_npz(path, entries); });
  return entries.size();
}

RecordedStep read_step(const std::filesystem::path& path) {
  StepReader file(path);
  RecordedStep step{.name = path.stem().string(),
                    .toml = file.text("config"),
                    .run = nullptr,
                    .model = nullptr,
                    .image = std::nullopt,
                    .trace = {}};
  const std::vector<std::size_t> inputs = file.info("inputs").type.shape;
  if (inputs.size() != 2 && inputs.size() != 4)
    file.fail(fmt::format("inputs has shape {}, expected rows, or images", npz::shape_text(inputs)));
  if (inputs.size() == 4) step.image = {inputs[1], inputs[2], inputs[3]};
  const std::size_t rows = inputs[0], features = std::accumulate(inputs.begin() + 1, inputs.end(),
                                                                 std::size_t{1}, std::multiplies<>());
  constexpr double kMax = 0x1p32 - 1;
  step.classes = static_cast<std::size_t>(file.counts("classes", kMax).at(0));
  step.target_unit = file.number("target_unit");
  try {
    step.run = std::make_unique<const config::RunConfig>(config::parse(step.toml, "config", {}));
    step.model = std::make_unique<const nn::Model>(step.run->model, features,
                                                   nn::outputs_of(step.run->model, step.classes), step.image);
  } catch (const ConfigError& error) {
    file.fail(error.what());
  }
  train::StepStart& start = step.trace.start;
  const double number = file.counts("step", kMax).at(0);
  if (number < 1.0) file.fail("step is 0, expected at least 1");
  start.step = static_cast<std::size_t>(number) - 1;
  for (const double id : file.counts("sample_ids", kMax))
    start.sample_ids.push_back(static_cast<std::uint32_t>(id));
  std::size_t in_micro_batches = 0;
  for (const double n : file.counts("micro_batches", static_cast<double>(rows))) {
    if (n == 0.0) file.fail("micro_batches has 0, expected the rows of those that are not empty");
    start.micro_batches.push_back(static_cast<std::size_t>(n));
    in_micro_batches += start.micro_batches.back();
  }
  if (rows == 0 || start.sample_ids.size() != rows || in_micro_batches != rows)
    file.fail(fmt::format(
        "has {} rows of inputs, {} sample_ids and micro_batches of {} rows, expected as many of each", rows,
        start.sample_ids.size(), in_micro_batches));
  start.targets.resize(rows);
  start.parameters.resize(step.model->parameters());
  step.trace.arrays = train::unknown_arrays(step.rules());
  for (const auto& [name, tensors] : step.trace.arrays.optimizer) start.optimizer[name] = tensors;
  for (auto& [name, tensors] : start.optimizer)
    for (std::size_t t = 0; t < tensors.size(); ++t) tensors[t].resize(step.model->tensors()[t].size);
  const train::StepLayout layout = step.layout();
  for (const train::StepArray& array : layout.arrays()) {
    file.expect_shape(array.name, array.shape);
    const bool classes = array.kind == train::ArrayKind::kTargets && step.classes != 0;
    layout.put(
        array,
        classes ? file.counts(array.name, static_cast<double>(step.classes) - 1.0) : file.values(array.name),
        start, step.trace.arrays);
  }
  return step;
}

}  // namespace lockstep::run
