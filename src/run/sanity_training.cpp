#include "run/sanity_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "run/experiment.h"
#include "run/statistics.h"

namespace lockstep::run {
namespace {

constexpr std::size_t kFew = 20;                         // samples to learn by heart
constexpr double kByHeart = 0.05;                        // of the first loss is what is left then
constexpr std::size_t kTrained = 1024, kTested = 500;    // samples of the other trainings
constexpr double kWork = 5e10;                           // multiply-adds of a training
constexpr std::size_t kMinSteps = 40, kMaxSteps = 2000;  // of a training
constexpr std::size_t kMinStepsOfFew = 200;
constexpr std::size_t kLastSteps = 8;  // whose losses are averaged

config::RunConfig simplified(config::RunConfig run, std::size_t batch) {
  run.data.augment = {};
  run.data.shards = 1;
  run.data.shuffle = data::Shuffle::kShards;
  run.model.dropout = 0.0;
  for (nn::LayerOptions& layer : run.model.layers)
    if (layer.kind == nn::LayerOptions::Kind::kDropout) layer.rate = 0.0;
  // A rate is for its batch: in proportion to it (Goyal et al., "Accurate, Large Minibatch SGD", 2017). The
  // few samples are learned by heart at the configuration's own.
  if (run.train.optimizer.kind == optim::OptimizerOptions::Kind::kSgd && batch > kFew)
    run.train.optimizer.learning_rate *=
        std::min(1.0, static_cast<double>(batch) / static_cast<double>(run.train.batch_size));
  run.train.batch_size = batch;
  run.train.label_smoothing = 0.0;
  run.train.optimizer.l2 = run.train.optimizer.weight_decay = 0.0;
  run.train.schedule = {};
  run.train.average_decay = 0.0;
  run.train.max_seconds = 0.0;
  run.eval = {};
  run.init_from.clear();
  return run;
}

// Of one sample's forward pass, in multiply-adds: each weight is used once for each output that it has a part
// in, and a value that a layer gives costs about as much as ten.
double work_of(const nn::Model& model) {
  double sum = 0.0;
  for (const auto& layer : model.layers()) {
    sum += 10.0 * static_cast<double>(layer->outputs());
    for (const nn::Tensor& tensor : layer->tensors()) {
      if (tensor.shape.size() < 2) continue;
      const double size = std::accumulate(tensor.shape.begin(), tensor.shape.end(), 1.0, std::multiplies<>());
      sum += size * static_cast<double>(layer->outputs()) / static_cast<double>(tensor.shape.front());
    }
  }
  return sum;
}

// The least mean loss of outputs that are the same for all samples: the entropy of the classes, or the
// variance of one-hot vectors or values.
double best_constant_loss(kernels::Loss loss, std::size_t outputs, std::span<const float> targets) {
  using kernels::Loss;
  Statistics values;
  std::map<float, double> shares;
  for (const float target : targets) {
    values.add(target);
    shares[target] += 1.0 / static_cast<double>(targets.size());
  }
  double entropy = 0.0, variance = 1.0;
  for (const auto& [target, share] : shares) {
    entropy -= share * std::log(share);
    variance -= share * share;
  }
  if (loss == Loss::kCrossEntropy || loss == Loss::kBinaryCrossEntropy) return entropy;
  if (outputs == 1) variance = values.stddev() * values.stddev();
  return (loss == Loss::kHalfMse ? 0.5 : 1.0) * variance;
}

// The mean loss of samples for a network whose parameters are all 0, in the units that it trains in.
double loss_of_zeros(const Experiment& experiment, kernels::Loss loss, const comm::Communicator& self,
                     int threads) {
  const std::vector<float> zeros(experiment.model().parameters());
  train::Evaluator evaluator(experiment.loader().samples());
  return evaluator.score({experiment.model(), zeros, experiment.normalizer(), loss}, self, threads).loss;
}

// What the same outputs for all samples reach: the share of the largest class.
double largest_share(std::span<const float> targets) {
  std::map<float, std::size_t> counts;
  std::size_t largest = 0;
  for (const float target : targets) largest = std::max(largest, ++counts[target]);
  return static_cast<double>(largest) / static_cast<double>(targets.size());
}

void score(Experiment& experiment, kernels::Loss loss, std::span<const float> targets,
           ShortOutcome& outcome) {
  outcome.test_samples = targets.size();
  if (targets.empty() || !outcome.diverged.empty()) return;
  const train::Score test = experiment.test_score();
  if (experiment.info().classes > 0) {
    outcome.score = test.accuracy();
    outcome.chance = largest_share(targets);
    return;
  }
  const double unit = experiment.info().target_stddev;
  const double variance = best_constant_loss(loss, 1, targets) * unit * unit;
  outcome.score = variance > 0.0 ? 1.0 - test.loss / variance : 0.0;
}

std::string steps_of(const ShortOutcome& outcome) {
  return fmt::format("{} step{}", outcome.losses.size(), outcome.losses.size() == 1 ? "" : "s");
}

void expect_no_divergence(const ShortOutcome& outcome) {
  if (!outcome.diverged.empty())
    throw ConfigError(fmt::format("{}, expected a training that does not diverge", outcome.diverged));
}

}  // namespace

double ShortOutcome::last() const {
  const std::size_t count = std::min(kLastSteps, losses.size());
  return std::accumulate(losses.end() - static_cast<std::ptrdiff_t>(count), losses.end(), 0.0) /
         static_cast<double>(count);
}

ShortOutcome train_briefly(Job& job, const config::RunConfig& run, int threads,
                           const ShortTraining& training) {
  const config::RunConfig simple = simplified(run, training.batch);
  Experiment experiment(simple, job.self, threads, job.supervision(), nullptr, training.data);
  train::Trainer& trainer = experiment.trainer();
  const kernels::Loss loss = simple.model.loss;
  const std::vector<float>& targets = experiment.loader().samples().targets;
  const nn::Tensor& last = experiment.model().tensors().back();
  ShortOutcome outcome;
  outcome.name = training.name;
  outcome.zero_loss = loss_of_zeros(experiment, loss, job.self, threads);
  outcome.constant_loss = best_constant_loss(loss, experiment.model().outputs(), targets);
  outcome.mixes_samples = experiment.model().mixes_samples();
  outcome.has_output_bias = last.shape.size() == 1 && last.learns();
  try {
    while (outcome.losses.size() < training.steps) {
      const train::StepReport step = trainer.step();
      if (step.stop.by_signal()) throw train::stopped(step.stop, "before all checks were made");
      outcome.losses.push_back(step.sums.loss.value() / static_cast<double>(step.sums.samples));
      if (outcome.losses.back() < training.stop_below * outcome.first()) break;
    }
  } catch (const comm::CollectiveError& error) {
    if (error.code() != ExitCode::kConfig) throw;  // not of a training that diverges
    outcome.diverged = error.what();
    if (outcome.losses.empty()) outcome.losses.push_back(std::nan(""));
  }
  score(experiment, loss, experiment.test_targets(), outcome);
  return outcome;
}

SanityPlan plan_sanity(const config::RunConfig& run) {
  const data::DatasetInfo info = data::open_dataset(run.data)->info();
  const double work = 3.0 * work_of(model_of(run, info));  // forward, and backward twice that
  const auto steps = [&](std::size_t batch, std::size_t least) {
    const double most = kWork / (work * static_cast<double>(batch));
    return std::clamp(static_cast<std::size_t>(std::min(most, 1e9)), least, kMaxSteps);
  };
  const std::size_t few = std::min(kFew, info.train_samples), n = std::min(kTrained, info.train_samples),
                    batch = std::min({run.train.batch_size, std::max<std::size_t>(n / 8, 64), n});
  const std::size_t whole = n / batch * batch;  // whole batches: none of a single sample
  SanityPlan plan;
  plan.few = {
      "20 samples", {.train_samples = few, .test_samples = 1}, few, steps(few, kMinStepsOfFew), kByHeart};
  plan.labels = {
      "the data", {.train_samples = whole, .test_samples = kTested}, batch, steps(batch, kMinSteps)};
  plan.shuffled = plan.zeros = plan.labels;
  plan.shuffled.name = "labels shuffled";
  plan.shuffled.data.shuffled_targets = true;
  plan.zeros.name = "inputs zero";
  plan.zeros.data.zero_inputs = true;
  return plan;
}

Check check_first_loss(const ShortOutcome& labels, kernels::Loss loss) {
  return check("first loss", [&] {
    // The first outputs' squares may add as much as they like to a squared error, within reason; and where
    // there are few targets, the first outputs may be near them.
    const bool squares = loss == kernels::Loss::kMse || loss == kernels::Loss::kHalfMse;
    const double most = (squares ? 10.0 : 1.5) * labels.zero_loss,
                 least = squares ? 0.0 : 0.8 * labels.constant_loss;
    const double found = labels.first();
    const std::string text = fmt::format("{:.4g}, {:.4g} if all outputs were 0", found, labels.zero_loss);
    if (!(found >= least && found <= most))
      throw ConfigError(fmt::format("{}, expected {:.4g} to {:.4g}: model.init decides", text, least, most));
    return text;
  });
}

Check check_few_samples(const ShortOutcome& few, std::size_t samples, double stop_below) {
  return check(fmt::format("{} samples", samples), [&] {
    expect_no_divergence(few);
    const std::string text =
        fmt::format("loss {:.4g}, after {} {:.4g}", few.first(), steps_of(few), few.losses.back());
    const double left = stop_below * few.first();
    if (!(few.losses.back() < left))
      throw ConfigError(
          fmt::format("{}, expected below {:.4g}: the network does not learn a few samples by "
                      "heart (train.learning_rate, model)",
                      text, left));
    return text;
  });
}

Check check_labels(const ShortOutcome& labels, const ShortOutcome& shuffled, bool classes) {
  return check("shuffled labels", [&] {
    expect_no_divergence(labels);
    expect_no_divergence(shuffled);
    if (labels.test_samples == 0) return std::string("not looked at: there are no test samples");
    const auto n = static_cast<double>(labels.test_samples);
    // Of an accuracy three standard deviations; of a share of the variance as much as few samples may have.
    const double margin = classes ? 3.0 * std::sqrt(labels.chance * (1.0 - labels.chance) / n) : 0.1;
    const double bound = labels.chance + margin;
    const auto shown = [&](double score) {
      return classes ? fmt::format("{:.1f} %", 100.0 * score) : fmt::format("{:.3g}", score);
    };
    const std::string text = fmt::format("{} {} of {} test samples, with labels shuffled {}, by chance {}",
                                         classes ? "accuracy" : "share of the variance", shown(labels.score),
                                         labels.test_samples, shown(shuffled.score), shown(labels.chance));
    if (labels.score <= bound)
      throw DataError(
          fmt::format("{}, expected above {} with the labels: what is learned says nothing about "
                      "other samples",
                      text, shown(bound)));
    if (shuffled.score > bound && shuffled.score > 0.5 * (labels.score + labels.chance))
      throw DataError(
          fmt::format("{}, expected at most {} with shuffled labels: the test samples are known "
                      "without the labels",
                      text, shown(bound)));
    return text;
  });
}

Check check_zero_inputs(const ShortOutcome& zeros) {
  return check("zero inputs", [&] {
    // Behind batch norm samples that are all alike have variance 0, by which gradients are divided.
    if (zeros.mixes_samples && !zeros.diverged.empty())
      return std::string("not looked at: batch norm has no bounds where all samples are alike");
    expect_no_divergence(zeros);
    const double least = 0.9 * zeros.constant_loss;
    const double most = zeros.has_output_bias ? 1.4 * zeros.constant_loss + 1e-3 : 1.1 * zeros.first();
    const std::string text = fmt::format("loss {:.4g}, after {} {:.4g}; of the targets' shares alone {:.4g}",
                                         zeros.first(), steps_of(zeros), zeros.last(), zeros.constant_loss);
    if (!(zeros.last() >= least && zeros.last() <= most))
      throw ConfigError(
          fmt::format("{}, expected {:.4g} to {:.4g}: without inputs a network learns how "
                      "frequent the targets are, and no more",
                      text, least, most));
    return text;
  });
}

}  // namespace lockstep::run
