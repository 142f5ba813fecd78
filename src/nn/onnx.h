// An ONNX file: a trained network as a graph of operators, for programs that run or show networks of any
// origin. https://onnx.ai/onnx/repo-docs/IR.html has the format, https://onnx.ai/onnx/operators/ the
// operators, which are those of set 13, of 2020: whatever reads ONNX knows them.
//
// The graph's input is "input" (N, samples' shape), raw features as a data set has them; its output "output"
// (N, outputs). The weights have the names, shapes and order of model.safetensors. Dropout is left out, batch
// norm takes the running statistics.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "nn/model.h"

namespace lockstep::nn {

// What lies around the network in the graph.
struct OnnxSurroundings {
  std::vector<std::size_t> sample;  // the shape of one: {channels, height, width}, or {features}
  // Of each feature: it enters the network as v scale + shift, or as (v + shift) scale where shift_first.
  std::vector<float> shift, scale;
  bool shift_first = false;
  // An output y leaves as y target_scale + target_shift.
  float target_scale = 1.0F, target_shift = 0.0F;
  std::string producer_version;
  std::map<std::string, std::string> metadata;
};

// The file's content. options: the model's. Throws ConfigError where it would be larger than a file in this
// format can be, 2 GiB.
std::string onnx_file(const ModelOptions& options, const Model& model, std::span<const float> arena,
                      const OnnxSurroundings& surroundings);

}  // namespace lockstep::nn
