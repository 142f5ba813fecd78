// The network whose weight files and checkpoints are read: 2 inputs, 3 hidden units, 2 outputs.
#pragma once

#include <numeric>
#include <vector>

#include "nn/model.h"

namespace lockstep::fuzz {

inline const nn::Model& model() {
  static const nn::Model small = [] {
    nn::ModelOptions options;
    options.hidden = {3};
    return nn::Model(options, 2, 2);
  }();
  return small;
}

inline const std::vector<nn::Tensor>& tensors() { return model().tensors(); }

inline std::vector<float> arena() {
  std::vector<float> arena(tensors().back().offset + tensors().back().size);
  std::iota(arena.begin(), arena.end(), 1.0F);
  return arena;
}

// A file of a header and data.
inline std::string safetensors(const std::string& header, const std::string& data) {
  std::string length;
  for (std::size_t i = 0; i < 8; ++i) length += static_cast<char>(header.size() >> (8 * i));
  return length + header + data;
}

}  // namespace lockstep::fuzz
