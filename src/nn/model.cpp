#include "nn/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "nn/dense.h"
#include "nn/pointwise.h"

namespace lockstep::nn {

using kernels::ConstMatrix;
using kernels::Matrix;

Model::Model(const ModelOptions& options, std::size_t inputs, std::size_t outputs) {
  std::size_t width = inputs;
  for (const std::size_t hidden : options.hidden) {
    if (hidden == 0) throw ConfigError("model.hidden has a width of 0, expected at least 1");
    layers_.push_back(std::make_unique<Dense>(width, hidden));
    layers_.push_back(std::make_unique<Pointwise>(options.activation, hidden));
    width = hidden;
  }
  layers_.push_back(std::make_unique<Dense>(width, outputs));

  std::size_t numbered = 0;  // layers with parameters so far
  for (const auto& layer : layers_) {
    Slice slice{tensors_.size(), parameters_, 0};
    for (const auto& [name, shape] : layer->tensors()) {
      const std::size_t size =
          std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
      tensors_.push_back({fmt::format("layers.{}.{}", numbered, name), shape, parameters_, size});
      parameters_ += size;
    }
    slice.size = parameters_ - slice.offset;
    constexpr std::size_t kMost = std::size_t{1} << 32;  // what initialisers can number
    if (slice.size >= kMost || layer->inputs() >= kMost / 2 || layer->outputs() >= kMost / 2)
      throw ConfigError(
          fmt::format("model.hidden makes a layer \"{}\", expected fewer than 2^32 parameters in it",
                      layer->description()));
    slices_.push_back(slice);
    if (slice.size > 0) ++numbered;
  }
}

ConstMatrix Model::forward(std::span<const float> arena, Workspace& workspace, std::size_t rows,
                           int threads) const {
  Matrix x = workspace.input(rows);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Matrix y = workspace.output(l, rows);
    layers_[l]->forward(x, params_of(l, arena), y, threads);
    x = y;
  }
  return x;
}

void Model::backward(std::span<const float> arena, Workspace& workspace, std::size_t rows, GradientSink& sink,
                     int threads) const {
  Matrix dy = workspace.output_gradient(rows);
  std::size_t turn = 0;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Layer& layer = *layers_[l];
    const Matrix x = l == 0 ? workspace.input(rows) : workspace.output(l - 1, rows);
    Matrix dx;
    if (layer.in_place())
      dx = dy;
    else if (l > 0)
      dx = workspace.gradient(++turn, layer.inputs(), rows);
    layer.backward(x, workspace.output(l, rows), dy, params_of(l, arena), slices_[l].first_tensor, sink, dx,
                   threads);
    dy = dx;
  }
}

Workspace::Workspace(const Model& model, std::size_t max_rows, Use use)
    : max_rows_(max_rows), outputs_(model.outputs()), widths_{model.inputs()} {
  std::size_t widest = model.outputs();
  for (const auto& layer : model.layers()) {
    if (!layer->in_place()) widths_.push_back(layer->outputs());
    widest = std::max(widest, layer->outputs());
    buffer_of_output_.push_back(widths_.size() - 1);
  }
  for (const std::size_t width : widths_) buffers_.emplace_back(max_rows * width);
  if (use == Use::kForwardAndBackward)
    for (auto& gradient : gradients_) gradient = AlignedBuffer<float>(max_rows * widest);
}

std::size_t Workspace::bytes() const {
  std::size_t floats = gradients_[0].size() + gradients_[1].size();
  for (const auto& buffer : buffers_) floats += buffer.size();
  return floats * sizeof(float);
}

Matrix Workspace::view(std::size_t buffer, std::size_t rows) {
  require(rows <= max_rows_, "Workspace: more rows than there is room for");
  return {buffers_[buffer].data(), rows, widths_[buffer]};
}

Matrix Workspace::output_gradient(std::size_t rows) { return gradient(0, outputs_, rows); }

Matrix Workspace::gradient(std::size_t turn, std::size_t width, std::size_t rows) {
  require(rows <= max_rows_, "Workspace: more rows than there is room for");
  return {gradients_[turn % 2].data(), rows, width};
}

}  // namespace lockstep::nn
