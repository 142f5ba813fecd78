// A feed-forward network: a sequence of layers over one arena of parameters.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/activation.h"
#include "kernels/loss.h"
#include "nn/layer.h"

namespace lockstep::nn {

struct ModelOptions {
  std::vector<std::size_t> hidden = {100};  // widths of the hidden layers; empty: one affine layer
  kernels::Activation activation = kernels::Activation::kSigmoid;
  kernels::Loss loss = kernels::Loss::kCrossEntropy;
  std::string init = "glorot";  // see initializer.h
};

// A named slice of the parameter arena. Tensors lie one after the other without gaps, in the order of layers.
struct Tensor {
  std::string name;                // as PyTorch's nn.Sequential of Linear layers: "layers.0.weight"
  std::vector<std::size_t> shape;  // weight (out, in), bias (out)
  std::size_t offset = 0;          // floats from the arena's start
  std::size_t size = 0;            // floats

  bool is_weight() const { return shape.size() == 2; }
  template <typename T>
  std::span<T> slice(std::span<T> arena) const {
    return arena.subspan(offset, size);
  }
};

class Workspace;

// Immutable: sizes and structure. The numbers live in arenas and workspaces that the caller owns.
class Model {
 public:
  // inputs and outputs are the data set's features and classes. Throws ConfigError on a width of 0
  // and on a layer of 2^32 parameters or more.
  Model(const ModelOptions& options, std::size_t inputs, std::size_t outputs);

  const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  std::size_t inputs() const { return layers_.front()->inputs(); }
  std::size_t outputs() const { return layers_.back()->outputs(); }
  std::size_t parameters() const { return parameters_; }  // floats in the arena

  // The outputs (rows, outputs) for the rows that lie in workspace.input(rows).
  kernels::ConstMatrix forward(std::span<const float> arena, Workspace& workspace, std::size_t rows,
                               int threads) const;

  // Hands all gradients to the sink, last layer first. workspace holds the last forward's results and, in
  // output_gradient(rows), the loss's derivative; both are used up.
  void backward(std::span<const float> arena, Workspace& workspace, std::size_t rows, GradientSink& sink,
                int threads) const;

 private:
  struct Slice {
    std::size_t first_tensor = 0, offset = 0, size = 0;
  };
  std::span<const float> params_of(std::size_t layer, std::span<const float> arena) const {
    return arena.subspan(slices_[layer].offset, slices_[layer].size);
  }

  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<Slice> slices_;  // per layer
  std::vector<Tensor> tensors_;
  std::size_t parameters_ = 0;
};

// Room for one pass of up to max_rows rows: the input, each layer's output, and two gradients in turn.
class Workspace {
 public:
  enum class Use { kForward, kForwardAndBackward };
  Workspace(const Model& model, std::size_t max_rows, Use use);

  std::size_t max_rows() const { return max_rows_; }
  std::size_t bytes() const;
  kernels::Matrix input(std::size_t rows) { return view(0, rows); }
  // After forward: layer's output. (Layers in place share a buffer with the layer before.)
  kernels::Matrix output(std::size_t layer, std::size_t rows) { return view(buffer_of_output_[layer], rows); }
  kernels::Matrix output_gradient(std::size_t rows);
  // The gradient for a layer input `steps` buffers away from the output gradient.
  kernels::Matrix gradient(std::size_t turn, std::size_t width, std::size_t rows);

 private:
  kernels::Matrix view(std::size_t buffer, std::size_t rows);

  std::size_t max_rows_;
  std::size_t outputs_;
  std::vector<std::size_t> widths_;  // per buffer
  std::vector<AlignedBuffer<float>> buffers_;
  std::vector<std::size_t> buffer_of_output_;  // per layer
  AlignedBuffer<float> gradients_[2];
};

}  // namespace lockstep::nn
