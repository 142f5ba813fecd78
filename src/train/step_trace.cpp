#include "train/step_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.h"

namespace lockstep::train {
namespace {

// Puts each pass's rows in their places in the batch.
class Recorder final : public nn::Observer {
 public:
  explicit Recorder(StepArrays& arrays) : arrays_(arrays) {}

  void output(std::size_t number, kernels::ConstMatrix y, const nn::PassContext& pass) override {
    if (number == 0) {
      // A step whose gradients did not fit their scales begins again.
      if (done_ > 0 && pass.sample_ids.front() == first_id_) done_ = 0;
      if (done_ == 0) first_id_ = pass.sample_ids.front();
      first_ = done_;
      done_ += y.rows;
    }
    put(y, arrays_.outputs[number]);
  }
  void gradient(std::size_t number, kernels::ConstMatrix dy, const nn::PassContext&) override {
    put(dy, arrays_.gradients[number]);
  }

 private:
  void put(kernels::ConstMatrix rows, std::vector<double>& all) const {
    all.resize(done_ * rows.cols);
    for (std::size_t i = 0; i < rows.rows; ++i)
      std::copy_n(rows.data + i * rows.row_stride, rows.cols, all.data() + (first_ + i) * rows.cols);
  }

  StepArrays& arrays_;
  std::size_t first_ = 0, done_ = 0;  // rows: of the pass under way, of all so far
  std::uint32_t first_id_ = 0;
};

OfTensors by_tensor(const std::vector<nn::Tensor>& tensors, std::span<const float> arena) {
  OfTensors parts;
  for (const nn::Tensor& tensor : tensors) {
    const auto slice = tensor.slice(arena);
    parts.emplace_back(slice.begin(), slice.end());
  }
  return parts;
}

double largest_of(std::span<const double> x) {
  double largest = 0.0;
  for (const double value : x) largest = std::max(largest, std::fabs(value));
  return largest;
}

}  // namespace

StepRules rules_of(const Trainer& trainer) {
  const TrainerParts& parts = trainer.parts();
  return {parts.model, parts.loss, trainer.options(), parts.seed, parts.threads, parts.supervision.progress};
}

StepTrace trace_step(Trainer& trainer) {
  const TrainerParts& parts = trainer.parts();
  require(parts.communicator.size() == 1, "trace_step: more than one rank");
  const std::vector<nn::Tensor>& tensors = parts.model.tensors();
  const std::size_t in_epoch = trainer.step_in_epoch();
  const StepRules rules = rules_of(trainer);
  StepTrace trace{.start = {.step = trainer.steps_done(),
                            .parameters = {trainer.parameters().begin(), trainer.parameters().end()}},
                  .arrays = unknown_arrays(rules)};
  for (const auto& [name, arena] : trainer.state_view().optimizer)
    trace.start.optimizer[name] = by_tensor(tensors, arena);

  Recorder recorder(trace.arrays);
  trainer.set_observer(&recorder);
  const StepReport report = trainer.step();
  trainer.set_observer(nullptr);

  // The epoch's order is still the step's.
  StepStart& start = trace.start;
  const std::vector<data::Block> blocks = parts.loader.blocks(in_epoch);
  const std::size_t rows = parts.plan.batch_samples(in_epoch);
  std::vector<float> inputs(rows * parts.model.inputs());
  start.targets.resize(rows);
  start.sample_ids.resize(rows);
  parts.loader.gather(blocks, parts.normalizer, inputs, start.targets, start.sample_ids, parts.threads);
  start.inputs.assign(inputs.begin(), inputs.end());
  start.micro_batches = data::micro_batch_rows(blocks);
  start.learning_rate = report.learning_rate;

  StepArrays& arrays = trace.arrays;
  arrays.loss = report.sums.loss.value() / static_cast<double>(report.sums.samples) + report.l2_loss;
  arrays.parameter_gradients = by_tensor(tensors, parts.reducer.gradient());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (!tensors[t].learns()) arrays.parameter_gradients[t].clear();
    const double l2 = rules.options.optimizer.l2 * tensors[t].weight_decay_factor;
    const auto w = tensors[t].slice(std::span(start.parameters));
    for (std::size_t i = 0; i < arrays.parameter_gradients[t].size(); ++i)
      arrays.parameter_gradients[t][i] += l2 * w[i];
  }
  for (const auto& [name, arena] : trainer.state_view().optimizer)
    arrays.optimizer[name] = by_tensor(tensors, arena);
  arrays.updated = by_tensor(tensors, trainer.parameters());
  return trace;
}

std::vector<Deviation> deviations(const StepRules& rules, const StepTrace& trace,
                                  const StepArrays& expected) {
  const nn::Model& model = rules.model;
  const StepArrays& found = trace.arrays;
  Deviation outputs{"outputs"}, loss{"loss"}, gradients{"gradients of outputs"},
      of_parameters{"gradients of parameters"}, state{"optimizer's state"}, updated{"parameters after"};
  // Of arrays that are known; terms: what their sums' terms are as large as.
  const auto see = [](Deviation& kind, const std::string& name, const std::vector<double>& is,
                      const std::vector<double>& should_be, double terms) {
    if (is.empty()) return;
    const double scale = std::max(largest_of(should_be), terms);
    for (std::size_t i = 0; i < is.size(); ++i) {
      const double error = is[i] == should_be[i] ? 0.0 : std::fabs(is[i] - should_be[i]) / scale;
      if (error <= kind.largest) continue;
      kind.largest = error;
      kind.where = name;
    }
  };
  // The largest weight of the layer after an output, or 1.
  const auto weight_of = [&](std::size_t layer) {
    double largest = 1.0;
    for (std::size_t t = 0; t < model.tensors().size(); ++t)
      if (model.layer_of(t) == layer && model.tensors()[t].has_gradient() && model.tensors()[t].size > 0)
        largest = std::max(largest, largest_of(model.tensors()[t].slice(std::span(trace.start.parameters))));
    return largest;
  };
  const std::size_t layers = model.layers().size();
  see(outputs, "inputs", found.outputs[0], expected.outputs[0], 0.0);
  for (std::size_t k = 1; k <= layers; ++k)
    see(outputs, fmt::format("outputs.{}", k), found.outputs[k], expected.outputs[k],
        largest_of(found.outputs[k - 1]) * weight_of(k - 1));
  see(loss, "loss", {found.loss}, {expected.loss}, 0.0);
  for (std::size_t k = layers; k > 0; --k)
    see(gradients, fmt::format("outputs.{}.grad", k), found.gradients[k], expected.gradients[k],
        k == layers ? 1.0 / static_cast<double>(trace.start.rows())
                    : largest_of(found.gradients[k + 1]) * weight_of(k));
  for (std::size_t t = 0; t < model.tensors().size(); ++t) {
    const nn::Tensor& tensor = model.tensors()[t];
    const std::size_t layer = model.layer_of(t);
    const double dy = largest_of(found.gradients[layer + 1]), x = largest_of(found.outputs[layer]);
    see(of_parameters, tensor.name + ".grad", found.parameter_gradients[t], expected.parameter_gradients[t],
        dy * std::max(1.0, x));
    for (const auto& [name, values] : found.optimizer)
      see(state, fmt::format("{}.{}", tensor.name, name), values[t], expected.optimizer.at(name)[t], 0.0);
    see(updated, tensor.name + ".updated", found.updated[t], expected.updated[t], 0.0);
  }
  return {outputs, loss, gradients, of_parameters, state, updated};
}

}  // namespace lockstep::train
