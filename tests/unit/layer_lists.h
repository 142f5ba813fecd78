// Layers in short, for networks as lists of them.
#pragma once

#include <string>
#include <vector>

#include "nn/model.h"

namespace lockstep::test {

inline nn::LayerOptions dense(std::size_t units = 0, bool bias = true) {
  return {.kind = nn::LayerOptions::Kind::kDense, .units = units, .bias = bias};
}
inline nn::LayerOptions pointwise(kernels::Activation activation) {
  return {.kind = nn::LayerOptions::Kind::kActivation, .activation = activation};
}
inline nn::LayerOptions dropout(double rate) {
  return {.kind = nn::LayerOptions::Kind::kDropout, .rate = rate};
}
inline nn::LayerOptions multiply(double factor) {
  return {.kind = nn::LayerOptions::Kind::kMultiply, .factor = factor};
}
inline nn::LayerOptions add(const std::string& from) {
  return {.kind = nn::LayerOptions::Kind::kAdd, .from = from};
}
inline nn::LayerOptions named(const std::string& name, nn::LayerOptions layer) {
  layer.name = name;
  return layer;
}
inline nn::ModelOptions with_layers(const std::vector<nn::LayerOptions>& layers) {
  nn::ModelOptions options;
  options.layers = layers;
  return options;
}

}  // namespace lockstep::test
