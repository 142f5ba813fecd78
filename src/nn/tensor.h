// A parameter tensor of a network: what it is, and where it lies in the parameter arena.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "nn/initializer.h"

namespace lockstep::nn {

// A layer states what its tensors are; the model gives them their full names, multiplies their factors by
// those of [[model.layers]], and says where they lie: one after the other without gaps, in the order of
// layers.
struct Tensor {
  std::string name;  // a layer's own: "weight"; the model's, as PyTorch has it: "layers.0.weight"
  std::vector<std::size_t> shape;  // as files have it, see file_order()
  std::size_t offset = 0;          // floats from the arena's start
  std::size_t size = 0;            // floats
  Initializer init;
  std::size_t fan_in = 0, fan_out = 0;  // inputs of one output, outputs of one input: what initialisers go by
  double learning_rate_factor = 1.0;    // of train.learning_rate; 0: the tensor stays as it is
  double weight_decay_factor = 0.0;     // of train.l2 and train.weight_decay
  // Above 0: no parameter but a running mean. It has no gradient: its layer hands over what each micro-batch
  // found, and after a step it is (1 - averaged) times what it was, plus averaged times the mean of that.
  double averaged = 0.0;
  bool has_gradient() const { return averaged == 0.0; }
  // Whether the optimizer changes it: it has a gradient, and is not frozen.
  bool learns() const { return has_gradient() && learning_rate_factor != 0.0; }

  // Whether files have its numbers in another order than the arena: the weights of a convolution, which are
  // (filters, channels, rows, columns) there and (filters, rows, columns, channels) here.
  bool reordered_in_files() const { return shape.size() == 4; }

  // The matrix that its gradient is summed as, row by row: of a weight (out, in), of a bias (out, 1).
  std::size_t rows() const { return shape.front(); }
  std::size_t cols() const { return size / rows(); }

  template <typename T>
  std::span<T> slice(std::span<T> arena) const {
    return arena.subspan(offset, size);
  }
};

// Where files have the tensor's number `index` of the arena.
std::size_t index_in_file(const Tensor& tensor, std::size_t index);
// `values`, as the arena has the tensor's numbers, as files have them; and back. Both are the same but for
// reordered tensors.
std::vector<float> to_file_order(const Tensor& tensor, std::span<const float> values);
void from_file_order(const Tensor& tensor, std::span<const float> in_file, std::span<float> values);

}  // namespace lockstep::nn
