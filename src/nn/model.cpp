#include "nn/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "kernels/arrays.h"
#include "nn/layers.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

std::vector<LayerOptions> layers_of(const ModelOptions& options) {
  using Kind = LayerOptions::Kind;
  if (!options.layers.empty()) return options.layers;
  std::vector<LayerOptions> layers;
  for (const std::size_t units : options.hidden) {
    if (units == 0) throw ConfigError("model.hidden has a width of 0, expected at least 1");
    layers.push_back({.kind = Kind::kDense, .units = units});
    layers.push_back({.kind = Kind::kActivation, .activation = options.activation});
    if (options.dropout > 0.0) layers.push_back({.kind = Kind::kDropout, .rate = options.dropout});
  }
  layers.push_back({.kind = Kind::kDense});
  if (options.output_activation != kernels::Activation::kIdentity)
    layers.push_back({.kind = Kind::kActivation, .activation = options.output_activation});
  return layers;
}

std::size_t outputs_of(const ModelOptions& options, std::size_t classes) {
  using kernels::Loss;
  const Loss loss = options.loss;
  const bool squared = loss == Loss::kMse || loss == Loss::kHalfMse;
  if (classes == 0 && !squared)
    throw ConfigError(
        fmt::format("model.loss is \"{}\", expected \"mse\" or \"half_mse\" for targets that are values",
                    kernels::name(loss)));
  if (loss == Loss::kBinaryCrossEntropy && classes != 2)
    throw ConfigError(fmt::format(
        "model.loss is \"binary_cross_entropy\" with {} classes, expected 2 classes, or \"cross_entropy\"",
        classes));
  const bool single = classes == 0 || loss == Loss::kBinaryCrossEntropy;
  if (options.outputs == 0) return single ? 1 : classes;
  if (loss == Loss::kCrossEntropy && options.outputs == 1)
    throw ConfigError(
        "model.outputs is 1 with model.loss = \"cross_entropy\", expected an output a class: the softmax of "
        "one output is "
        "always 1 (\"binary_cross_entropy\" takes one)");
  const bool possible = single
                            ? options.outputs == 1
                            : options.outputs == classes || (squared && classes == 2 && options.outputs == 1);
  if (!possible)
    throw ConfigError(fmt::format("model.outputs is {}, expected {}", options.outputs,
                                  single ? "1"
                                  : squared && classes == 2
                                      ? "1 or 2"
                                      : fmt::format("{}, the number of classes", classes)));
  return options.outputs;
}

Model::Model(const ModelOptions& options, std::size_t inputs, std::size_t outputs,
             const std::optional<ImageShape>& image) {
  std::vector<BuiltLayer> layers = build_layers(options, inputs, outputs, image);
  for (BuiltLayer& built : layers) {
    layers_.push_back(std::move(built.layer));
    names_.push_back(built.name);
    places_.push_back(built.place);
    images_.push_back(built.image);
  }
  if (layers_.back()->outputs() != outputs)
    throw ConfigError(fmt::format(
        "model.layers end with {} outputs, expected {} (a last dense layer without units has them)",
        layers_.back()->outputs(), outputs));

  std::size_t numbered = 0;  // layers with parameters so far
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const auto& layer = layers_[l];
    Slice slice{tensors_.size(), parameters_, 0};
    for (Tensor tensor : layer->tensors()) {
      tensor.name = fmt::format("layers.{}.{}", numbered, tensor.name);
      tensor.offset = parameters_;
      tensor.size =
          std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::size_t{1}, std::multiplies<>());
      tensor.learning_rate_factor *= layers[l].learning_rate_factor;
      tensor.weight_decay_factor *= layers[l].weight_decay_factor;
      parameters_ += tensor.size;
      tensors_.push_back(std::move(tensor));
    }
    slice.size = parameters_ - slice.offset;
    constexpr std::size_t kMax = std::size_t{1} << 32;  // what initialisers can tell apart
    if (slice.size >= kMax || layer->inputs() >= kMax / 2 || layer->outputs() >= kMax / 2)
      throw ConfigError(fmt::format("{} makes a layer \"{}\", expected fewer than 2^32 parameters in it",
                                    options.layers.empty() ? "model.hidden" : "model.layers",
                                    layer->description()));
    slices_.push_back(slice);
    if (slice.size > 0) ++numbered;
  }
  if (tensors_.empty()) throw ConfigError("model.layers has no layer with parameters, expected a dense one");

  const auto changes = [](const Tensor& tensor) { return tensor.learns() || !tensor.has_gradient(); };
  const auto first = std::ranges::find_if(tensors_, changes);
  first_ =
      first == tensors_.end() ? layers_.size() : layer_of(static_cast<std::size_t>(first - tensors_.begin()));
  std::vector<std::optional<std::size_t>> added;
  std::vector<std::size_t> widths = {this->inputs()};
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    added.push_back(layers[l].added);
    widths.push_back(layers_[l]->outputs());
  }
  skips_ = Skips(std::move(added), widths, first_);
}

bool Model::mixes_samples() const {
  return std::ranges::any_of(layers_, [](const auto& layer) { return layer->mixes_samples(); });
}

std::size_t Model::least_micro_batch() const {
  std::size_t least = 1;
  for (const auto& layer : layers_) least = std::max(least, layer->least_micro_batch());
  return least;
}

bool Model::in_place(std::size_t layer) const {
  const Layer& one = *layers_[layer];
  return one.elementwise() && !one.keeps_input() && !skips_.keeps(layer) &&
         (layer == 0 || !layers_[layer - 1]->keeps_output());
}

std::size_t Model::layer_of(std::size_t tensor) const {
  std::size_t layer = 0;
  while (layer + 1 < slices_.size() && slices_[layer + 1].first_tensor <= tensor) ++layer;
  return layer;
}

std::size_t Model::work(std::size_t tensor) const {
  return tensors_[tensor].size * (layers_[layer_of(tensor)]->outputs() / tensors_[tensor].rows());
}

std::vector<double> Model::layer_in_double(std::span<const double> arena, std::size_t layer,
                                           std::span<const std::vector<double>> inputs,
                                           const PassContext& pass) const {
  const Layer& one = *layers_[layer];
  const std::vector<double>& x = inputs[layer];
  std::vector<double> y(x.size() / one.inputs() * one.outputs());
  one.forward_in_double(x, params_of(layer, arena), y, pass);
  if (const auto added = skips_.added_to(layer))
    std::ranges::transform(y, inputs[*added], y.begin(), std::plus<>());
  return y;
}

std::vector<double> Model::forward_in_double(std::span<const double> arena, std::size_t first,
                                             std::span<const std::vector<double>> inputs,
                                             const PassContext& pass) const {
  // The inputs of layers; those before `first` only where a later layer adds them.
  std::vector<std::vector<double>> all(layers_.size() + 1);
  for (std::size_t l = 0; l <= first; ++l)
    if (l == first || skips_.keeps(l)) all[l] = inputs[l];
  for (std::size_t l = first; l < layers_.size(); ++l) {
    all[l + 1] = layer_in_double(arena, l, all, pass);
    if (!skips_.keeps(l)) all[l] = {};
  }
  return std::move(all.back());
}

std::vector<double> Model::forward_in_double(std::span<const double> arena, std::vector<double> x,
                                             const PassContext& pass) const {
  return forward_in_double(arena, 0, {&x, 1}, pass);
}

std::vector<std::vector<double>> Model::inputs_in_double(std::span<const double> arena, std::vector<double> x,
                                                         const PassContext& pass) const {
  std::vector<std::vector<double>> inputs = {std::move(x)};
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l)
    inputs.push_back(layer_in_double(arena, l, inputs, pass));
  return inputs;
}

std::vector<double> Model::gradient_in_double(std::span<const double> arena, std::size_t output,
                                              std::span<const std::vector<double>> outputs,
                                              std::span<const std::vector<double>> gradients,
                                              std::span<double> of_parameters,
                                              const PassContext& pass) const {
  std::vector<double> dx(outputs[output].size());
  const Slice& slice = slices_[output];
  layers_[output]->backward_in_double(outputs[output], outputs[output + 1], gradients[output + 1],
                                      params_of(output, arena),
                                      of_parameters.subspan(slice.offset, slice.size), dx, pass);
  for (std::size_t l = output; l < layers_.size(); ++l)
    if (skips_.added_to(l) == output) std::ranges::transform(dx, gradients[l + 1], dx.begin(), std::plus<>());
  return dx;
}

namespace {

template <typename T>
std::span<T> all_of(kernels::BasicMatrix<T> x) {
  return {x.data, x.rows * x.cols};
}

}  // namespace

ConstMatrix Model::forward(std::span<const float> arena, Workspace& workspace, std::size_t rows,
                           const PassContext& pass) const {
  const auto output = [&](std::size_t number) {
    return number == 0 ? workspace.input(rows) : workspace.output(number - 1, rows);
  };
  if (pass.observer != nullptr) pass.observer->output(0, output(0), pass);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    liveness::move(pass.progress);
    const Matrix y = output(l + 1);
    const auto params = params_of(l, arena);
    if (!params.empty() && !layers_[l]->waits_for_parameters()) pass.wait_for(params, params.size());
    layers_[l]->forward(output(l), params, y, pass);
    if (const auto added = skips_.added_to(l)) kernels::add(all_of(output(*added)), all_of(y), pass.threads);
    if (pass.observer != nullptr) pass.observer->output(l + 1, y, pass);
  }
  return output(layers_.size());
}

void Model::backward(std::span<const float> arena, Workspace& workspace, std::size_t rows, GradientSink& sink,
                     const PassContext& pass) const {
  // The gradient of an output that has one waiting.
  const auto waiting = [&](std::size_t output) {
    return workspace.waiting_gradient(*skips_.buffer(output), layers_[output - 1]->outputs(), rows);
  };
  Matrix dy = workspace.output_gradient(rows);
  std::size_t turn = 0;
  for (std::size_t l = layers_.size(); l-- > first_;) {
    liveness::move(pass.progress);
    const Layer& layer = *layers_[l];
    if (skips_.buffer(l + 1)) kernels::add(waiting(l + 1), all_of(dy), pass.threads);
    if (const auto added = skips_.added_to(l); added && skips_.buffer(*added)) {
      if (skips_.last_to_add(l, *added))
        std::ranges::copy(all_of(dy), waiting(*added).begin());
      else
        kernels::add(all_of(dy), waiting(*added), pass.threads);
    }
    if (pass.observer != nullptr) pass.observer->gradient(l + 1, dy, pass);
    const Matrix x = l == 0 ? workspace.input(rows) : workspace.output(l - 1, rows);
    Matrix dx;
    if (layer.elementwise())
      dx = dy;
    else if (l > first_)
      dx = workspace.gradient(++turn, layer.inputs(), rows);
    layer.backward(x, workspace.output(l, rows), dy, params_of(l, arena), slices_[l].first_tensor, sink, dx,
                   pass);
    dy = dx;
  }
  const std::size_t first_tensor = first_ == layers_.size() ? tensors_.size() : slices_[first_].first_tensor;
  for (std::size_t t = first_tensor; t-- > 0;) sink.add({.tensor = t, .dy = {}});
}

namespace {

// Floats per row that the two gradients take, each.
std::size_t gradient_width(const Model& model, Workspace::Use use) {
  if (use == Workspace::Use::kForward) return 0;
  std::size_t widest = model.outputs();
  for (const auto& layer : model.layers()) widest = std::max(widest, layer->outputs());
  return widest;
}

// Of the buffers, the input's first.
std::vector<std::size_t> buffer_widths(const Model& model) {
  std::vector<std::size_t> widths = {model.inputs()};
  for (std::size_t l = 0; l < model.layers().size(); ++l)
    if (!model.in_place(l)) widths.push_back(model.layers()[l]->outputs());
  return widths;
}

}  // namespace

std::size_t Workspace::bytes_for(std::size_t max_rows, const Model& model, Use use) {
  std::size_t floats = 2 * gradient_width(model, use);
  if (use == Use::kForwardAndBackward)
    for (const std::size_t width : model.skips().buffer_widths()) floats += width;
  for (const std::size_t width : buffer_widths(model)) floats += width;
  return max_rows * floats * sizeof(float);
}

std::size_t Workspace::rows_within(std::size_t bytes, const Model& model, Use use) {
  return std::max<std::size_t>(1, bytes / bytes_for(1, model, use));
}

Workspace::Workspace(const Model& model, std::size_t max_rows, Use use)
    : max_rows_(max_rows), outputs_(model.outputs()), widths_(buffer_widths(model)) {
  for (std::size_t l = 0, buffer = 0; l < model.layers().size(); ++l)
    buffer_of_output_.push_back(model.in_place(l) ? buffer : ++buffer);
  for (const std::size_t width : widths_) buffers_.emplace_back(max_rows * width);
  for (auto& gradient : gradients_) gradient = AlignedBuffer<float>(max_rows * gradient_width(model, use));
  if (use == Use::kForwardAndBackward)
    for (const std::size_t width : model.skips().buffer_widths()) waiting_.emplace_back(max_rows * width);
}

std::size_t Workspace::bytes() const {
  std::size_t floats = gradients_[0].size() + gradients_[1].size();
  for (const auto* buffers : {&buffers_, &waiting_})
    for (const auto& buffer : *buffers) floats += buffer.size();
  return floats * sizeof(float);
}

Matrix Workspace::view(std::size_t buffer, std::size_t rows) {
  require(rows <= max_rows_, "Workspace: more rows than max_rows");
  return {buffers_[buffer].data(), rows, widths_[buffer]};
}

Matrix Workspace::output_gradient(std::size_t rows) { return gradient(0, outputs_, rows); }

Matrix Workspace::gradient(std::size_t turn, std::size_t width, std::size_t rows) {
  require(rows <= max_rows_, "Workspace: more rows than max_rows");
  return {gradients_[turn % 2].data(), rows, width};
}

std::span<float> Workspace::waiting_gradient(std::size_t buffer, std::size_t width, std::size_t rows) {
  require(rows <= max_rows_, "Workspace: more rows than max_rows");
  return waiting_[buffer].span().first(rows * width);
}

}  // namespace lockstep::nn
