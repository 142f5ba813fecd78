// The values that training starts from.
//
// Weights (out, in); biases are 0.
//   glorot         uniform on +-sqrt(6 / (in + out))   Glorot and Bengio, AISTATS 2010, eq. 16
//   he             normal, deviation sqrt(2 / in)      He et al., ICCV 2015, eq. 10
//   normal(SIGMA)  normal, deviation SIGMA
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nn/model.h"

namespace lockstep::nn {

struct Initializer {
  enum class Kind { kGlorot, kHe, kNormal } kind = Kind::kGlorot;
  double sigma = 0.0;  // of kNormal

  // From "glorot", "he" or "normal(0.01)". Throws ConfigError naming model.init.
  static Initializer parse(const std::string& text);
};

// Overwrites the arena. Element i of tensor t is a function of (seed, t, i).
void initialize(const Initializer& initializer, const std::vector<Tensor>& tensors, std::uint64_t seed,
                std::span<float> arena);

}  // namespace lockstep::nn
