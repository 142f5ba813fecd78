// Who looks at a pass: at every layer's output, and at the derivative of the loss by it, as they are
// computed.
#pragma once

#include <cstddef>

#include "kernels/gemm.h"

namespace lockstep::nn {

struct PassContext;

// Output 0 is the network's input, output k that of layer k - 1 (see skips.h), of the pass's rows. Views are
// valid during the call only. Images lie as Model::image says.
class Observer {
 public:
  virtual ~Observer() = default;

  // In order, each before a layer in its place overwrites it.
  virtual void output(std::size_t number, kernels::ConstMatrix y, const PassContext& pass) = 0;

  // Last layer first, of those outputs that backward needs it of.
  virtual void gradient(std::size_t number, kernels::ConstMatrix dy, const PassContext& pass) = 0;
};

}  // namespace lockstep::nn
