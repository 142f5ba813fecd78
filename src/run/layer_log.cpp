#include "run/layer_log.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/loss.h"
#include "nn/observer.h"
#include "run/statistics.h"

namespace lockstep::run {
namespace {

constexpr std::size_t kSamples = 128;
constexpr std::size_t kBytes = std::size_t{64} << 20;  // of their pass through the network
constexpr std::size_t kValues = 100000;                // of a layer, whose quantiles are taken

report::Distribution distribution_of(std::vector<float> values) {
  report::Distribution distribution;
  if (values.empty()) return distribution;
  Statistics statistics;
  for (const float value : values) statistics.add(value);
  distribution.mean = statistics.mean();
  distribution.stddev = statistics.stddev();
  if (const std::size_t stride = values.size() / kValues + 1; stride > 1) {
    for (std::size_t i = 0; i * stride < values.size(); ++i) values[i] = values[i * stride];
    values.resize((values.size() + stride - 1) / stride);
  }
  for (std::size_t q = 0; q < distribution.quantiles.size(); ++q) {
    const auto place = static_cast<std::ptrdiff_t>(report::Distribution::kQuantiles[q] *
                                                   static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + place, values.end());
    distribution.quantiles[q] = values[static_cast<std::size_t>(place)];
  }
  return distribution;
}

std::vector<float> values_of(kernels::ConstMatrix matrix) {
  std::vector<float> values;
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    const float* begin = matrix.data + row * matrix.row_stride;
    values.insert(values.end(), begin, begin + matrix.cols);
  }
  return values;
}

// The share of units that give the same for all rows. Of images a unit is a channel: value j is of unit
// j % units.
double share_of_dead(kernels::ConstMatrix outputs, std::size_t units) {
  std::vector<float> least(units, std::numeric_limits<float>::infinity()), largest(units, -least[0]);
  for (std::size_t row = 0; row < outputs.rows; ++row)
    for (std::size_t j = 0; j < outputs.cols; ++j) {
      const float value = outputs.data[row * outputs.row_stride + j];
      least[j % units] = std::min(least[j % units], value);
      largest[j % units] = std::max(largest[j % units], value);
    }
  std::size_t dead = 0;
  for (std::size_t unit = 0; unit < units; ++unit) dead += least[unit] == largest[unit] ? 1 : 0;
  return static_cast<double>(dead) / static_cast<double>(units);
}

// Fills the rows of a pass's layers.
class Look final : public nn::Observer, public nn::GradientSink {
 public:
  Look(const nn::Model& model, std::vector<report::LayerRow>& rows) : model_(model), rows_(rows) {}

  void output(std::size_t number, kernels::ConstMatrix y, const nn::PassContext&) override {
    if (number == 0) return;
    const auto& image = model_.image(number);
    rows_[number - 1].outputs = distribution_of(values_of(y));
    rows_[number - 1].dead = share_of_dead(y, image ? image->channels : y.cols);
  }
  void gradient(std::size_t number, kernels::ConstMatrix dy, const nn::PassContext&) override {
    if (number > 0) rows_[number - 1].gradients = distribution_of(values_of(dy));
  }
  void add(const nn::GradientTerms&) override {}  // parameters' gradients are not shown

 private:
  const nn::Model& model_;
  std::vector<report::LayerRow>& rows_;
};

// |after - before| / |before| of the layer's parameters that learn; NaN without them.
double update_of(const nn::Model& model, std::size_t layer, std::span<const float> before,
                 std::span<const float> after) {
  double moved = 0.0, norm = 0.0;
  for (std::size_t t = 0; t < model.tensors().size(); ++t) {
    const nn::Tensor& tensor = model.tensors()[t];
    if (!tensor.learns() || model.layer_of(t) != layer) continue;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
      const double step = double{after[i]} - double{before[i]};
      moved += step * step;
      norm += double{before[i]} * double{before[i]};
    }
  }
  return norm > 0.0 ? std::sqrt(moved / norm) : std::nan("");
}

}  // namespace

LayerLog::LayerLog(const Experiment& experiment, const config::RunConfig& run, int threads)
    : experiment_(experiment), run_(run), threads_(threads) {
  const auto& first = experiment.plan().samples_of_shard(0);
  const std::size_t within =
      nn::Workspace::rows_within(kBytes, experiment.model(), nn::Workspace::Use::kForwardAndBackward);
  const std::size_t count =
      std::min({first.size(), kSamples, std::max(within, experiment.model().least_micro_batch())});
  samples_.assign(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(count));
}

std::vector<report::LayerRow> LayerLog::look(std::span<const float> parameters, std::size_t step) const {
  const nn::Model& model = experiment_.model();
  const data::SampleStore& store = experiment_.loader().samples();
  const auto own = experiment_.loader().sample_ids();
  const std::size_t rows = samples_.size();
  nn::Workspace workspace(model, rows, nn::Workspace::Use::kForwardAndBackward);
  const kernels::Matrix input = workspace.input(rows);
  std::vector<float> targets;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto at = static_cast<std::size_t>(std::ranges::lower_bound(own, samples_[i]) - own.begin());
    experiment_.normalizer().apply(store, at, {input.data + i * input.row_stride, input.cols});
    targets.push_back(store.targets[at]);
  }
  std::vector<report::LayerRow> table(model.layers().size());
  for (std::size_t l = 0; l < table.size(); ++l) {
    table[l].layer = l + 1;
    table[l].description = model.layers()[l]->description();
    if (!before_.empty()) table[l].update = update_of(model, l, before_, parameters);
  }
  Look look(model, table);
  const nn::PassContext pass{.threads = threads_,
                             .seed = run_.seed,
                             .step = static_cast<std::uint32_t>(step),
                             .sample_ids = samples_,
                             .micro_batches = std::span(&rows, 1),
                             .observer = &look};
  const kernels::ConstMatrix outputs = model.forward(parameters, workspace, rows, pass);
  kernels::evaluate_loss(run_.model.loss, outputs, targets, 1.0 / static_cast<double>(rows),
                         workspace.output_gradient(rows), threads_, run_.train.label_smoothing);
  model.backward(parameters, workspace, rows, look, pass);
  return table;
}

}  // namespace lockstep::run
