// The values that training starts from.
//
//   glorot         uniform on +-sqrt(6 / (in + out))   Glorot and Bengio, AISTATS 2010, eq. 16
//   he             normal, stddev sqrt(2 / in)         He et al., ICCV 2015, eq. 10
//   normal(SIGMA)  normal, stddev SIGMA
//   uniform(A)     uniform on +-A
//   zeros          0
// Of convolutions also:
//   dirac          filter f passes channel f on: 1 at channel f of its middle pixel (row and column size/2,
//   counted from
//                  0), else 0, as torch.nn.init.dirac_; filters beyond the number of channels are uniform on
//                  +-1/sqrt(in), as PyTorch draws convolutions
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lockstep::nn {

struct Tensor;

struct Initializer {
  enum class Kind {
    kGlorot,
    kHe,
    kNormal,
    kUniform,
    kZeros,
    kConstant,
    kDirac,
    kWhitening
  } kind = Kind::kZeros;
  double parameter = 0.0;  // of kNormal, kUniform and kConstant; the epsilon of kWhitening

  // From "glorot", "he", "normal(0.01)", "uniform(0.5)" or "zeros", the value of `key`. Throws ConfigError
  // naming the key.
  static Initializer parse_weight(const std::string& text, const std::string& key);
  // Of a convolution: also from "dirac".
  static Initializer parse_filters(const std::string& text, const std::string& key);
  // The same without those that need a number of inputs.
  static Initializer parse_bias(const std::string& text, const std::string& key);
};

// Overwrites the arena, each tensor by its own initializer; kWhitening, which needs the training images,
// leaves 0 for what whitening.h works out. Element i of tensor t is a function of (seed, t, i).
void initialize(const std::vector<Tensor>& tensors, std::uint64_t seed, std::span<float> arena);

}  // namespace lockstep::nn
