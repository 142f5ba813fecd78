#include "train/step_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "nn/pointwise.h"

namespace lockstep::train {
namespace {

using Shape = std::vector<std::size_t>;

// Of a state's name, as files have it.
std::string shown(const std::string& state) {
  return state == "momentum" || state == "lars_momentum" ? "velocity" : state;
}

template <typename Layer>
bool is(const nn::Model& model, std::size_t layer) {
  return dynamic_cast<const Layer*>(model.layers()[layer].get()) != nullptr;
}

// A tensor's numbers as files have them, and back.
std::vector<double> in_file(const nn::Tensor& tensor, std::span<const double> values) {
  std::vector<double> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[nn::index_in_file(tensor, i)] = values[i];
  return result;
}
std::vector<double> from_file(const nn::Tensor& tensor, const std::vector<double>& values) {
  if (values.empty()) return {};
  std::vector<double> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[nn::index_in_file(tensor, i)];
  return result;
}

bool has_probabilities(const StepRules& rules) {
  return rules.loss == kernels::Loss::kCrossEntropy || rules.loss == kernels::Loss::kBinaryCrossEntropy;
}

bool has_momentum(const StepRules& rules) {
  using Kind = optim::OptimizerOptions::Kind;
  const Kind kind = rules.options.optimizer.kind;
  return kind == Kind::kSgd || kind == Kind::kLars;
}

}  // namespace

StepLayout::StepLayout(const StepRules& rules, const std::optional<nn::ImageShape>& image,
                       std::size_t classes, std::size_t rows)
    : rules_(rules), image_(image), classes_(classes), rows_(rows) {
  const nn::Model& model = rules.model;
  const std::size_t layers = model.layers().size();
  const Shape outputs = shape_of_output(layers), input = shape_of_output(0);
  add(ArrayKind::kInputs, 0, "inputs", input);
  add(ArrayKind::kTargets, 0, "targets", has_classes() ? Shape{rows} : outputs);
  add_of_tensors(ArrayKind::kParameter, "");
  add_states(ArrayKind::kStateBefore, ".before");
  for (std::size_t k = 1; k <= layers; ++k) {
    if (is<nn::Dropout>(model, k - 1))
      add(ArrayKind::kMask, k, fmt::format("masks.{}", k), shape_of_output(k));
    add(ArrayKind::kOutput, k, fmt::format("outputs.{}", k), shape_of_output(k));
  }
  if (has_probabilities(rules)) add(ArrayKind::kProbabilities, layers, "probabilities", outputs);
  add(ArrayKind::kLoss, 0, "loss", {});
  if (has_probabilities(rules)) add(ArrayKind::kProbabilitiesGradient, layers, "probabilities.grad", outputs);
  for (std::size_t k = layers; k > 0; --k)
    add(ArrayKind::kOutputGradient, k, fmt::format("outputs.{}.grad", k), shape_of_output(k));
  add(ArrayKind::kInputsGradient, 0, "inputs.grad", input);
  add_of_tensors(ArrayKind::kParameterGradient, ".grad");
  add(ArrayKind::kLearningRate, 0, "learning_rate", {});
  if (has_momentum(rules)) add(ArrayKind::kMomentum, 0, "momentum", {});
  add_states(ArrayKind::kState, "");
  add_of_tensors(ArrayKind::kUpdated, ".updated");
  name_aliases();
}

void StepLayout::add(ArrayKind kind, std::size_t index, std::string name, Shape shape, std::string state) {
  arrays_.push_back({std::move(name), "", kind, index, std::move(state), std::move(shape)});
}

void StepLayout::add_of_tensors(ArrayKind kind, const std::string& ending, const std::string& state) {
  const bool of_learning = kind != ArrayKind::kParameter && kind != ArrayKind::kUpdated;
  const auto& tensors = rules_.model.tensors();
  for (std::size_t t = 0; t < tensors.size(); ++t)
    if (tensors[t].learns() || !of_learning)
      add(kind, t, fmt::format("{}{}", tensors[t].name, ending), tensors[t].shape, state);
}

void StepLayout::add_states(ArrayKind kind, const std::string& ending) {
  for (const std::string& state : optim::state_names(rules_.options.optimizer))
    add_of_tensors(kind, fmt::format(".{}{}", shown(state), ending), state);
}

// X, y, and of dense layer i from 1 on Wi, bi, zi, ai, dzi, dai, dWi, dbi, vWi, vbi, Wi_new, bi_new.
void StepLayout::name_aliases() {
  const nn::Model& model = rules_.model;
  std::vector<std::size_t> number(model.layers().size() + 1);  // of the dense layer that an output is of
  std::vector<std::string> letter(number.size());              // z, or a of the activation after it
  std::size_t dense = 0;
  for (std::size_t l = 0; l < model.layers().size(); ++l) {
    if (is<nn::Dense>(model, l)) {
      number[l + 1] = ++dense;
      letter[l + 1] = 'z';
    } else if (!model.layers()[l]->tensors().empty()) {
      return;
    } else if (is<nn::Pointwise>(model, l) && letter[l] == "z") {
      number[l + 1] = number[l];
      letter[l + 1] = 'a';
    }
  }
  const auto of_tensor = [&](std::size_t t) {
    const std::string& name = model.tensors()[t].name;
    return fmt::format("{}{}", name.ends_with("weight") ? "W" : "b", number[model.layer_of(t) + 1]);
  };
  const auto alias_of = [&](const StepArray& array) -> std::string {
    const std::size_t i = array.index;
    switch (array.kind) {
      case ArrayKind::kInputs:
        return "X";
      case ArrayKind::kTargets:
        return "y";
      case ArrayKind::kInputsGradient:
        return "dX";
      case ArrayKind::kParameter:
        return of_tensor(i);
      case ArrayKind::kParameterGradient:
        return fmt::format("d{}", of_tensor(i));
      case ArrayKind::kUpdated:
        return fmt::format("{}_new", of_tensor(i));
      case ArrayKind::kState:
        return shown(array.state) == "velocity" ? fmt::format("v{}", of_tensor(i)) : "";
      case ArrayKind::kOutput:
        return letter[i].empty() ? "" : fmt::format("{}{}", letter[i], number[i]);
      case ArrayKind::kOutputGradient:
        return letter[i].empty() ? "" : fmt::format("d{}{}", letter[i], number[i]);
      case ArrayKind::kProbabilities:
        return letter[i] == "z" ? fmt::format("a{}", number[i]) : "";
      case ArrayKind::kProbabilitiesGradient:
        return letter[i] == "z" ? fmt::format("da{}", number[i]) : "";
      default:
        return "";
    }
  };
  for (StepArray& array : arrays_) array.alias = alias_of(array);
}

Shape StepLayout::shape_of_output(std::size_t number) const {
  const std::optional<nn::ImageShape>& image = number == 0 ? image_ : rules_.model.image(number);
  if (image) return {rows_, image->channels, image->height, image->width};
  const nn::Model& model = rules_.model;
  return {rows_, number == 0 ? model.inputs() : model.layers()[number - 1]->outputs()};
}

std::vector<double> StepLayout::to_channels(std::size_t number, const std::vector<double>& rows) const {
  const auto& image = rules_.model.image(number);
  if (!image || rows.empty()) return rows;
  std::vector<double> result(rows.size());
  const std::size_t pixels = image->pixels(), channels = image->channels;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t sample = i / image->size(), pixel = i / channels % pixels, channel = i % channels;
    result[(sample * channels + channel) * pixels + pixel] = rows[i];
  }
  return result;
}

std::vector<double> StepLayout::to_pixels(std::size_t number, const std::vector<double>& rows) const {
  const auto& image = rules_.model.image(number);
  if (!image || rows.empty()) return rows;
  std::vector<double> result(rows.size());
  const std::size_t pixels = image->pixels(), channels = image->channels;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t sample = i / image->size(), pixel = i / channels % pixels, channel = i % channels;
    result[i] = rows[(sample * channels + channel) * pixels + pixel];
  }
  return result;
}

std::vector<double> StepLayout::values(const StepArray& array, const StepStart& start,
                                       const StepArrays& arrays) const {
  const std::size_t i = array.index;
  const auto& tensors = rules_.model.tensors();
  switch (array.kind) {
    case ArrayKind::kInputs:
      return start.inputs;
    case ArrayKind::kTargets:
      return {start.targets.begin(), start.targets.end()};
    case ArrayKind::kParameter:
      return in_file(tensors[i], tensors[i].slice(std::span(start.parameters)));
    case ArrayKind::kStateBefore:
      return in_file(tensors[i], start.optimizer.at(array.state)[i]);
    case ArrayKind::kMask: {
      const nn::Layer& layer = *rules_.model.layers()[i - 1];
      const std::vector<double> ones(rows_ * layer.outputs(), 1.0);
      std::vector<double> mask(ones.size());
      layer.forward_in_double(ones, {}, mask,
                              {.seed = rules_.seed,
                               .step = static_cast<std::uint32_t>(start.step),
                               .sample_ids = start.sample_ids,
                               .micro_batches = start.micro_batches});
      return to_channels(i, mask);
    }
    case ArrayKind::kOutput:
      return to_channels(i, arrays.outputs[i]);
    case ArrayKind::kProbabilities:
      return probabilities_of(rules_, arrays.outputs[i]);
    case ArrayKind::kLoss:
      return {arrays.loss};
    case ArrayKind::kProbabilitiesGradient:
      return probability_gradient(rules_, start, arrays.outputs[i]);
    case ArrayKind::kOutputGradient:
    case ArrayKind::kInputsGradient:
      return to_channels(i, arrays.gradients[i]);
    case ArrayKind::kParameterGradient:
      return in_file(tensors[i], arrays.parameter_gradients[i]);
    case ArrayKind::kLearningRate:
      return {start.learning_rate};
    case ArrayKind::kMomentum:
      return {rules_.options.optimizer.momentum};
    case ArrayKind::kState:
      return in_file(tensors[i], arrays.optimizer.at(array.state)[i]);
    case ArrayKind::kUpdated:
      return in_file(tensors[i], arrays.updated[i]);
  }
  return {};
}

void StepLayout::put(const StepArray& array, const std::vector<double>& values, StepStart& start,
                     StepArrays& arrays) const {
  const std::size_t i = array.index;
  const auto& tensors = rules_.model.tensors();
  switch (array.kind) {
    case ArrayKind::kInputs:
      start.inputs = values;
      break;
    case ArrayKind::kTargets:
      start.targets.assign(values.begin(), values.end());
      break;
    case ArrayKind::kParameter:
      std::ranges::copy(from_file(tensors[i], values), tensors[i].slice(std::span(start.parameters)).begin());
      break;
    case ArrayKind::kStateBefore:
      start.optimizer[array.state][i] = from_file(tensors[i], values);
      break;
    case ArrayKind::kOutput:
      arrays.outputs[i] = to_pixels(i, values);
      break;
    case ArrayKind::kLoss:
      arrays.loss = values[0];
      break;
    case ArrayKind::kOutputGradient:
    case ArrayKind::kInputsGradient:
      arrays.gradients[i] = to_pixels(i, values);
      break;
    case ArrayKind::kParameterGradient:
      arrays.parameter_gradients[i] = from_file(tensors[i], values);
      break;
    case ArrayKind::kLearningRate:
      start.learning_rate = values[0];
      break;
    case ArrayKind::kState:
      arrays.optimizer[array.state][i] = from_file(tensors[i], values);
      break;
    case ArrayKind::kUpdated:
      arrays.updated[i] = from_file(tensors[i], values);
      break;
    case ArrayKind::kMask:
    case ArrayKind::kProbabilities:
    case ArrayKind::kProbabilitiesGradient:
    case ArrayKind::kMomentum:
      break;
  }
}

std::vector<double> probabilities_of(const StepRules& rules, const std::vector<double>& outputs) {
  if (!has_probabilities(rules)) return {};
  std::vector<double> p = outputs;
  if (rules.loss == kernels::Loss::kBinaryCrossEntropy) {
    for (double& x : p) x = 1.0 / (1.0 + std::exp(-x));
    return p;
  }
  const std::size_t width = rules.model.outputs();
  for (std::size_t row = 0; row < p.size(); row += width) {
    const std::span<double> of_row = std::span(p).subspan(row, width);
    const double largest = *std::ranges::max_element(of_row);
    double sum = 0.0;
    for (double& x : of_row) sum += x = std::exp(x - largest);
    for (double& x : of_row) x /= sum;
  }
  return p;
}

std::vector<double> probability_gradient(const StepRules& rules, const StepStart& start,
                                         const std::vector<double>& outputs) {
  std::vector<double> p = probabilities_of(rules, outputs);
  if (p.empty()) return p;
  const auto rows = static_cast<double>(start.rows());
  const std::size_t width = rules.model.outputs();
  const double e = rules.options.label_smoothing, elsewhere = e / static_cast<double>(width);
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double target = start.targets[i / width];
    if (rules.loss == kernels::Loss::kBinaryCrossEntropy) {
      // 1 / p = 1 + e^-o, without the cancellation of 1 - p.
      p[i] = (target == 1.0 ? -1.0 - std::exp(-outputs[i]) : 1.0 + std::exp(outputs[i])) / rows;
      continue;
    }
    const double t = elsewhere + (i % width == static_cast<std::size_t>(target) ? 1.0 - e : 0.0);
    p[i] = -t / p[i] / rows;
  }
  return p;
}

bool leads_to(const StepArray& earlier, const StepArray& what) {
  const bool after_gradients = what.kind == ArrayKind::kState || what.kind == ArrayKind::kUpdated;
  switch (earlier.kind) {
    case ArrayKind::kInputs:
    case ArrayKind::kParameter:
    case ArrayKind::kOutput:
      return true;
    case ArrayKind::kOutputGradient:
      return what.kind != ArrayKind::kLoss && what.kind != ArrayKind::kProbabilitiesGradient;
    case ArrayKind::kStateBefore:
    case ArrayKind::kParameterGradient:
    case ArrayKind::kState:
      return after_gradients && earlier.index == what.index;
    case ArrayKind::kLearningRate:
      return what.kind == ArrayKind::kUpdated;
    default:
      return false;
  }
}

}  // namespace lockstep::train
