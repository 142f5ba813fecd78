// The tables of [[model.layers]].
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/reader.h"
#include "nn/model.h"

namespace lockstep::config {

// A table {name, value} of all activations, as Reader::read takes it.
std::vector<std::pair<std::string, kernels::Activation>> activations();

// A table of [[model.layers]]: type is "dense", "conv", "max_pool", ... or an activation.
void read_layer(Reader& in, nn::LayerOptions& layer);

}  // namespace lockstep::config
