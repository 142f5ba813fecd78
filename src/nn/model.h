// A feed-forward network: a sequence of layers over one arena of parameters.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/activation.h"
#include "kernels/loss.h"
#include "nn/batch_norm.h"
#include "nn/image.h"
#include "nn/layer.h"
#include "nn/skips.h"

namespace lockstep::nn {

// One of [[model.layers]].
struct LayerOptions {
  enum class Kind {
    kDense,
    kActivation,
    kDropout,
    kConv,
    kWhiten,
    kMaxPool,
    kAveragePool,
    kGlobalAveragePool,
    kBatchNorm,
    kMultiply,
    kAdd,
    kFlatten
  } kind = Kind::kDense;
  std::size_t units = 0;  // of kDense; 0: the network's outputs
  bool bias = true;
  std::string init = {}, bias_init = {};  // of kDense and kConv; empty: the model's
  kernels::Activation activation = kernels::Activation::kIdentity;
  double rate = 0.5;                        // of kDropout
  double factor = 1.0;                      // of kMultiply
  std::size_t filters = 0;                  // of kConv
  std::size_t size = 0, stride = 1;         // of kConv, kWhiten (stride 1) and pools: pixels
  double epsilon = 5e-4;                    // of kWhiten
  std::optional<std::size_t> padding = {};  // of kConv: pixels all around; none: "same"
  BatchNormOptions batch_norm = {};
  // Of a layer with parameters: what its tensors' factors are multiplied by; frozen: by 0, so that they stay
  // as they are and no decay counts them.
  double learning_rate_factor = 1.0;
  std::optional<double> weight_decay_factor = {};  // none: 1, of kBatchNorm 0
  bool frozen = false;
  std::string name = {};  // of the layer, for others; "": none
  std::string from = {};  // of kAdd: the name of an earlier layer

  double decay_factor() const {
    return frozen ? 0.0 : weight_decay_factor.value_or(kind == Kind::kBatchNorm ? 0.0 : 1.0);
  }
};

struct ModelOptions {
  std::vector<std::size_t> hidden = {100};  // widths of the hidden layers; empty: one affine layer
  kernels::Activation activation = kernels::Activation::kSigmoid;  // after each hidden layer
  double dropout = 0.0;                                            // the rate after that; 0: no such layers
  kernels::Activation output_activation = kernels::Activation::kIdentity;  // after the last
  std::vector<LayerOptions> layers;  // if any, the network is these, and the four above do not count

  kernels::ActivationParameters activation_parameters;
  kernels::Loss loss = kernels::Loss::kCrossEntropy;
  std::size_t outputs = 0;          // 0: what the loss and the data ask for, see outputs_of
  std::string init = "glorot";      // of weights, see initializer.h
  std::string bias_init = "zeros";  // of biases
};

// The network's layers: options.layers, or those that hidden, activation, dropout and output_activation stand
// for. Throws ConfigError on a width of 0.
std::vector<LayerOptions> layers_of(const ModelOptions& options);

// How many outputs the network has for a data set of so many classes (0: its targets are values): one a
// class, but a single one for values and for binary_cross_entropy, and for mse and half_mse of two classes
// where options.outputs is 1. Throws ConfigError where loss, outputs and classes do not go together.
std::size_t outputs_of(const ModelOptions& options, std::size_t classes);

class Workspace;

// Immutable: sizes and structure. The values live in arenas and workspaces that the caller owns.
class Model {
 public:
  // inputs: the data set's features, channel by channel where they are an image; outputs: as outputs_of says.
  // Throws ConfigError on a width of 0, on a layer of 2^32 parameters or more, and on layers that have no
  // parameters or do not end with `outputs` outputs.
  Model(const ModelOptions& options, std::size_t inputs, std::size_t outputs,
        const std::optional<ImageShape>& image = std::nullopt);

  const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }
  // A layer's place among the options' layers (layers_of), which is the one that a user knows.
  std::size_t place(std::size_t layer) const { return places_[layer]; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  std::size_t inputs() const { return layers_.front()->inputs(); }
  std::size_t outputs() const { return layers_.back()->outputs(); }
  // Of output `number` (skips.h), where it lies pixel by pixel (image.h); the network's input does not.
  const std::optional<ImageShape>& image(std::size_t number) const {
    static const std::optional<ImageShape> none;
    return number == 0 ? none : images_[number - 1];
  }
  // Whether a layer's output takes its input's place.
  bool in_place(std::size_t layer) const;
  const Skips& skips() const { return skips_; }
  // The layer's name in model.layers; "": none.
  const std::string& name(std::size_t layer) const { return names_[layer]; }
  std::size_t parameters() const { return parameters_; }  // floats in the arena
  // Whether in training an output depends on all samples of its micro-batch.
  bool mixes_samples() const;
  // The fewest samples that a micro-batch may have: batch norm over a single value has no variance.
  std::size_t least_micro_batch() const;

  // The outputs (rows, outputs) for the rows that lie in workspace.input(rows). Waits for each layer's
  // parameters before it reads them; at the end all of the arena is there.
  kernels::ConstMatrix forward(std::span<const float> arena, Workspace& workspace, std::size_t rows,
                               const PassContext& pass) const;

  // Hands all gradients to the sink, last layer first; of layers before the first that training changes none
  // are computed. workspace holds the last forward's results and, in output_gradient(rows), the loss's
  // derivative; both are used up.
  void backward(std::span<const float> arena, Workspace& workspace, std::size_t rows, GradientSink& sink,
                const PassContext& pass) const;

  // The outputs (rows, outputs) in double: the network from layer `first` on. inputs: what the layers up to
  // it get as theirs, (rows, inputs) each. What gradients are checked against.
  std::vector<double> forward_in_double(std::span<const double> arena, std::size_t first,
                                        std::span<const std::vector<double>> inputs,
                                        const PassContext& pass) const;
  // Of the network's input x.
  std::vector<double> forward_in_double(std::span<const double> arena, std::vector<double> x,
                                        const PassContext& pass) const;
  // Likewise, what each layer gets as its input.
  std::vector<std::vector<double>> inputs_in_double(std::span<const double> arena, std::vector<double> x,
                                                    const PassContext& pass) const;
  // The output of one layer. inputs: as forward_in_double's, up to this one.
  std::vector<double> layer_in_double(std::span<const double> arena, std::size_t layer,
                                      std::span<const std::vector<double>> inputs,
                                      const PassContext& pass) const;
  // The derivative by output `output` (skips.h) of one micro-batch's rows, by way of all that reads it, in
  // double; adds to of_parameters, laid out like the arena, what the layer after it has. outputs: all of
  // them; gradients: those of later outputs.
  std::vector<double> gradient_in_double(std::span<const double> arena, std::size_t output,
                                         std::span<const std::vector<double>> outputs,
                                         std::span<const std::vector<double>> gradients,
                                         std::span<double> of_parameters, const PassContext& pass) const;
  // The layer that has a tensor.
  std::size_t layer_of(std::size_t tensor) const;
  // The multiply-adds that a tensor's numbers take part in for each sample, forward. A row of it makes an
  // equal share of the layer's outputs: one of a dense layer, a channel's pixels of a convolution.
  std::size_t work(std::size_t tensor) const;

 private:
  struct Slice {
    std::size_t first_tensor = 0, offset = 0, size = 0;
  };
  template <typename T>
  std::span<const T> params_of(std::size_t layer, std::span<const T> arena) const {
    return arena.subspan(slices_[layer].offset, slices_[layer].size);
  }

  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<std::string> names_;                 // per layer
  std::vector<std::size_t> places_;                // per layer
  std::vector<std::optional<ImageShape>> images_;  // of each layer's output
  std::vector<Slice> slices_;                      // per layer
  std::size_t first_ = 0;  // the first layer that training changes: before it nothing needs a gradient
  Skips skips_;
  std::vector<Tensor> tensors_;
  std::size_t parameters_ = 0;
};

// Buffers for one pass of up to max_rows rows: the input, each layer's output, two gradients in turn, and
// those that wait for the layers they are of (skips.h).
class Workspace {
 public:
  enum class Use { kForward, kForwardAndBackward };
  Workspace(const Model& model, std::size_t max_rows, Use use);

  // How many rows take at most so many bytes; at least one.
  static std::size_t rows_within(std::size_t bytes, const Model& model, Use use);

  // What it takes.
  static std::size_t bytes_for(std::size_t max_rows, const Model& model, Use use);

  std::size_t max_rows() const { return max_rows_; }
  std::size_t bytes() const;
  kernels::Matrix input(std::size_t rows) { return view(0, rows); }
  // After forward: layer's output. (Layers in place share a buffer with the layer before.)
  kernels::Matrix output(std::size_t layer, std::size_t rows) { return view(buffer_of_output_[layer], rows); }
  kernels::Matrix output_gradient(std::size_t rows);
  // The gradient for a layer input `steps` buffers away from the output gradient.
  kernels::Matrix gradient(std::size_t turn, std::size_t width, std::size_t rows);
  // The gradient of an output of so many numbers that waits in Skips::buffer `buffer`.
  std::span<float> waiting_gradient(std::size_t buffer, std::size_t width, std::size_t rows);

 private:
  kernels::Matrix view(std::size_t buffer, std::size_t rows);

  std::size_t max_rows_;
  std::size_t outputs_;
  std::vector<std::size_t> widths_;  // per buffer
  std::vector<AlignedBuffer<float>> buffers_;
  std::vector<std::size_t> buffer_of_output_;  // per layer
  AlignedBuffer<float> gradients_[2];
  std::vector<AlignedBuffer<float>> waiting_;
};

}  // namespace lockstep::nn
