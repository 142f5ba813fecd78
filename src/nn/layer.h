// What every layer of a network can do.
//
// Shapes (row-major float32; B = rows of this call, any B >= 0):
//   x, dx   (B, in)
//   y, dy   (B, out)
//   params  the layer's own slice of the parameter arena: its tensors one after the other
// Scale: dy is the derivative of the mean loss over the GLOBAL batch, so it already carries 1/global_batch;
// summing gradients over blocks and ranks gives the gradient of the global mean.
//
// A layer holds sizes, not values. Every member is const and may run concurrently on disjoint outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/gemm.h"
#include "liveness/progress.h"
#include "nn/arrivals.h"
#include "nn/gradient_sink.h"
#include "nn/observer.h"
#include "nn/tensor.h"

namespace lockstep::nn {

// What a forward or backward pass needs to know beside its data.
struct PassContext {
  int threads = 1;
  // In training: what random draws are keyed by, and the ID of each row's sample. Without IDs the pass is an
  // evaluation, and nothing is drawn.
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::span<const std::uint32_t> sample_ids = {};
  // In training: the rows of each micro-batch, one after the other; none is cut, none is empty.
  std::span<const std::size_t> micro_batches = {};

  liveness::Progress* progress = nullptr;  // which hears of every layer
  Observer* observer = nullptr;            // who looks at every layer, if anybody does
  Arrivals* arrivals = nullptr;            // of parameters that are not there yet, if any

  // Arrivals::wait_for.
  std::size_t wait_for(std::span<const float> parameters, std::size_t least) const {
    return arrivals == nullptr ? parameters.size() : arrivals->wait_for(parameters, least);
  }
  bool training() const { return !micro_batches.empty(); }
};

class Layer {
 public:
  virtual ~Layer() = default;

  virtual std::size_t inputs() const = 0;
  virtual std::size_t outputs() const = 0;
  virtual std::string description() const = 0;  // such as "Dense 3072 -> 100"
  virtual std::vector<Tensor> tensors() const { return {}; }
  // True: in training, outputs depend on all rows of their micro-batch.
  virtual bool mixes_samples() const { return false; }
  virtual std::size_t least_micro_batch() const { return 1; }  // samples, in training

  // True: output i depends on input i alone. y may take x's place then unless keeps_input, and dx takes dy's.
  virtual bool elementwise() const { return false; }
  // True of an elementwise layer: backward reads x.
  virtual bool keeps_input() const { return false; }
  // True: backward reads y, which the next layer must leave alone then.
  virtual bool keeps_output() const { return false; }
  // True: forward itself waits for its parameters, by pass.wait_for. Else they are there when it is called.
  virtual bool waits_for_parameters() const { return false; }

  // Overwrites y.
  virtual void forward(kernels::ConstMatrix x, std::span<const float> params, kernels::Matrix y,
                       const PassContext& pass) const = 0;

  // Hands the gradients of its tensors to the sink, the first of them as tensor first_tensor, then
  // overwrites dx. A dx without data is not computed. x and y are forward's (x is gone where y took its
  // place).
  virtual void backward(kernels::ConstMatrix x, kernels::ConstMatrix y, kernels::Matrix dy,
                        std::span<const float> params, std::size_t first_tensor, GradientSink& sink,
                        kernels::Matrix dx, const PassContext& pass) const = 0;

  // Forward in double, in plain loops: what gradients are checked against. x (rows, in), y (rows, out).
  virtual void forward_in_double(std::span<const double> x, std::span<const double> params,
                                 std::span<double> y, const PassContext& pass) const = 0;

  // Backward in double, in plain loops: what a step's arrays are checked against. The rows are those of one
  // micro-batch. Adds to dparams, laid out like params: of a tensor without gradient, what the micro-batch
  // found (see Tensor::averaged). Overwrites dx.
  virtual void backward_in_double(std::span<const double> x, std::span<const double> y,
                                  std::span<const double> dy, std::span<const double> params,
                                  std::span<double> dparams, std::span<double> dx,
                                  const PassContext& pass) const = 0;
};

}  // namespace lockstep::nn
