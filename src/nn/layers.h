// The layers that a network's options stand for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/conv.h"
#include "nn/image.h"
#include "nn/layer.h"
#include "nn/model.h"

namespace lockstep::nn {

struct BuiltLayer {
  std::unique_ptr<Layer> layer;
  std::size_t place = 0;  // in the options' list; of one in between, that of the layer it serves
  // What the factors of its tensors are multiplied by.
  double learning_rate_factor = 1.0, weight_decay_factor = 1.0;
  std::optional<std::size_t> added = {};  // which output (skips.h) is added to its own
  std::string name = {};
  std::optional<ImageShape> image = {};  // of its output, where that lies pixel by pixel
};

// Of a kConv.
ConvGeometry geometry_of(const LayerOptions& layer);

// In order, with those between that turn images (image.h): from the data set's order before the first layer
// that needs an image, and to that of files before a dense one. A convolution leaves out the rows and columns
// of its output that the pooling layer after it does not read. Throws ConfigError on a width of 0, and where
// a layer does not fit what comes before it, or a name is no layer's, a later one's or of two layers.
std::vector<BuiltLayer> build_layers(const ModelOptions& options, std::size_t inputs, std::size_t outputs,
                                     const std::optional<ImageShape>& image);

}  // namespace lockstep::nn
