#include "optim/sgd.h"

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::optim {
namespace {

LOCKSTEP_CLONES void plain_step(float* w, const float* g, std::size_t n, float rate, float decay) {
  for (std::size_t i = 0; i < n; ++i) w[i] -= rate * (g[i] + decay * w[i]);
}

LOCKSTEP_CLONES void momentum_step(float* w, const float* g, float* v, std::size_t n, float rate, float decay,
                                   float momentum) {
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = momentum * v[i] + (g[i] + decay * w[i]);
    w[i] -= rate * v[i];
  }
}

LOCKSTEP_CLONES void nesterov_step(float* w, const float* g, float* v, std::size_t n, float rate, float decay,
                                   float momentum) {
  for (std::size_t i = 0; i < n; ++i) {
    const float gradient = g[i] + decay * w[i];
    v[i] = momentum * v[i] + gradient;
    w[i] -= rate * (gradient + momentum * v[i]);
  }
}

}  // namespace

Sgd::Sgd(const SgdOptions& options, std::size_t parameters)
    : options_(options), velocity_(options.momentum != 0.0 ? parameters : 0) {}

void Sgd::update(std::span<float> arena, std::span<const float> gradient, std::size_t begin, double rate,
                 double decay_factor) {
  require(begin + gradient.size() <= arena.size(), "Sgd::update: the gradient reaches past the parameters");
  const auto lr = static_cast<float>(rate);
  const auto decay = static_cast<float>(decay_factor * (options_.l2 + options_.weight_decay));
  const auto momentum = static_cast<float>(options_.momentum);
  float* w = arena.data() + begin;
  const std::size_t n = gradient.size();
  if (velocity_.size() == 0)
    plain_step(w, gradient.data(), n, lr, decay);
  else if (options_.nesterov)
    nesterov_step(w, gradient.data(), velocity_.data() + begin, n, lr, decay, momentum);
  else
    momentum_step(w, gradient.data(), velocity_.data() + begin, n, lr, decay, momentum);
}

}  // namespace lockstep::optim
