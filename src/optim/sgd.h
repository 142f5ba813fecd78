// Stochastic gradient descent with momentum, as PyTorch's torch.optim.SGD computes it (dampening 0):
//   g <- g + (l2 + weight_decay) w
//   v <- momentum v + g          (v is 0 at first)
//   w <- w - rate (g + momentum v) with nesterov, else w - rate v
// Both decays are the derivative of 0.5 l2 sum w^2; that of l2 counts in the losses that are reported.
// Sources: Sutskever et al., "On the importance of initialization and momentum", ICML 2013; PyTorch's
// documentation.
#pragma once

#include <span>

#include "base/aligned_buffer.h"

namespace lockstep::optim {

struct SgdOptions {
  double learning_rate = 0.05;
  double momentum = 0.0;
  bool nesterov = false;
  double l2 = 0.0;
  double weight_decay = 0.0;
};

class Sgd {
 public:
  // For an arena of `parameters` floats.
  Sgd(const SgdOptions& options, std::size_t parameters);

  const SgdOptions& options() const { return options_; }

  // One step on arena[begin, begin + gradient.size()), with both decays times decay_factor. The gradient
  // is read only; each element's new value depends on that element alone. Concurrent calls on other elements
  // are safe.
  void update(std::span<float> arena, std::span<const float> gradient, std::size_t begin, double rate,
              double decay_factor);

  // The momentum's velocity, laid out like the arena; empty without momentum.
  std::span<float> velocity() { return velocity_.span(); }
  std::span<const float> velocity() const { return velocity_.span(); }

  std::size_t bytes() const { return velocity_.size() * sizeof(float); }

 private:
  SgdOptions options_;
  AlignedBuffer<float> velocity_;  // empty without momentum
};

}  // namespace lockstep::optim
