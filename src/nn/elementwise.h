// What layers have in common whose output i depends on input i alone.
#pragma once

#include "nn/layer.h"

namespace lockstep::nn {

class Elementwise : public Layer {
 public:
  explicit Elementwise(std::size_t width) : width_(width) {}

  std::size_t inputs() const final { return width_; }
  std::size_t outputs() const final { return width_; }
  bool elementwise() const final { return true; }

 private:
  std::size_t width_;
};

}  // namespace lockstep::nn
