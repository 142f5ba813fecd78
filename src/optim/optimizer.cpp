#include "optim/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/simd.h"

namespace lockstep::optim {
namespace {

using Kind = OptimizerOptions::Kind;

// Of sgd and lars: both decays together, and the rest as the header has it.
struct Descent {
  float rate, momentum, decay, clip, trust;
};

LOCKSTEP_CLONES void plain_step(float* w, const float* g, std::size_t n, Descent s) {
  for (std::size_t i = 0; i < n; ++i) w[i] -= s.rate * (s.trust * (s.clip * g[i] + s.decay * w[i]));
}

LOCKSTEP_CLONES void momentum_step(float* w, const float* g, float* v, std::size_t n, Descent s) {
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = s.momentum * v[i] + s.trust * (s.clip * g[i] + s.decay * w[i]);
    w[i] -= s.rate * v[i];
  }
}

LOCKSTEP_CLONES void nesterov_step(float* w, const float* g, float* v, std::size_t n, Descent s) {
  for (std::size_t i = 0; i < n; ++i) {
    const float gradient = s.trust * (s.clip * g[i] + s.decay * w[i]);
    v[i] = s.momentum * v[i] + gradient;
    w[i] -= s.rate * (gradient + s.momentum * v[i]);
  }
}

struct Adam {
  float clip, decay;          // l2, with adam's weight_decay
  float kept;                 // 1 - rate weight_decay of adamw, else 1
  float new_mean;             // 1 - beta1
  float beta2, new_square;    // and 1 - beta2
  float rate, root, epsilon;  // rate / (1 - beta1^t), sqrt(1 - beta2^t)
};

LOCKSTEP_CLONES void adam_step(float* w, const float* g, float* m, float* v, std::size_t n, Adam s) {
  for (std::size_t i = 0; i < n; ++i) {
    const float gradient = s.clip * g[i] + s.decay * w[i];
    m[i] += s.new_mean * (gradient - m[i]);
    v[i] = s.beta2 * v[i] + s.new_square * (gradient * gradient);
    w[i] = s.kept * w[i] - s.rate * (m[i] / (std::sqrt(v[i]) / s.root + s.epsilon));
  }
}

// By squaring, so that the bits do not depend on a library's pow.
double power(double base, std::size_t exponent) {
  double result = 1.0;
  for (; exponent != 0; exponent >>= 1, base *= base)
    if ((exponent & 1) != 0) result *= base;
  return result;
}

}  // namespace

std::vector<std::string> state_names(const OptimizerOptions& options) {
  if (options.kind == Kind::kAdam || options.kind == Kind::kAdamW) return {"exp_avg", "exp_avg_sq"};
  if (options.momentum == 0.0) return {};
  return {options.kind == Kind::kLars ? "lars_momentum" : "momentum"};
}

Optimizer::Optimizer(const OptimizerOptions& options, std::size_t parameters)
    : options_(options), parameters_(parameters), names_(state_names(options)) {
  for (std::size_t i = 0; i < names_.size(); ++i) state_.emplace_back(parameters);
}

void Optimizer::update(std::span<float> parameters, std::span<const float> gradient, std::size_t first,
                       const Part& part) {
  require(gradient.size() == parameters.size() && first + parameters.size() <= parameters_,
          "Optimizer::update: the gradient or the state is of other parameters");
  float* const w = parameters.data();
  const float* const g = gradient.data();
  const std::size_t n = gradient.size();
  const double l2 = part.decay_factor * options_.l2, decay = part.decay_factor * options_.weight_decay;
  const auto clip = static_cast<float>(part.clip);
  if (options_.kind == Kind::kAdam || options_.kind == Kind::kAdamW) {
    const bool decoupled = options_.kind == Kind::kAdamW;
    const double of_mean = 1.0 - power(options_.beta1, part.step),
                 of_square = 1.0 - power(options_.beta2, part.step);
    adam_step(w, g, state_[0].data() + first, state_[1].data() + first, n,
              {.clip = clip,
               .decay = static_cast<float>(decoupled ? l2 : l2 + decay),
               .kept = static_cast<float>(decoupled ? 1.0 - part.rate * decay : 1.0),
               .new_mean = static_cast<float>(1.0 - options_.beta1),
               .beta2 = static_cast<float>(options_.beta2),
               .new_square = static_cast<float>(1.0 - options_.beta2),
               .rate = static_cast<float>(part.rate / of_mean),
               .root = static_cast<float>(std::sqrt(of_square)),
               .epsilon = static_cast<float>(options_.epsilon)});
    return;
  }
  const Descent descent{.rate = static_cast<float>(part.rate),
                        .momentum = static_cast<float>(options_.momentum),
                        .decay = static_cast<float>(l2 + decay),
                        .clip = clip,
                        .trust = static_cast<float>(part.trust)};
  if (state_.empty())
    plain_step(w, g, n, descent);
  else if (options_.nesterov)
    nesterov_step(w, g, state_[0].data() + first, n, descent);
  else
    momentum_step(w, g, state_[0].data() + first, n, descent);
}

double Optimizer::trust(double weights, double gradient, double decay_factor) const {
  if (options_.kind != Kind::kLars || !(weights > 0.0) || !(gradient > 0.0)) return 1.0;
  const double decay = decay_factor * (options_.l2 + options_.weight_decay);
  return options_.trust_coefficient * weights / (gradient + decay * weights);
}

OptimizerStateView Optimizer::state() const {
  OptimizerStateView view;
  for (std::size_t i = 0; i < names_.size(); ++i) view[names_[i]] = state_[i].span();
  return view;
}

void Optimizer::restore(const OptimizerState& state) {
  std::vector<std::string> found;
  for (const auto& [name, values] : state) found.push_back(name);
  if (found != names_)
    throw ModelError(fmt::format("the state has [{}] beside the parameters, expected [{}]",
                                 fmt::join(found, ", "), fmt::join(names_, ", ")));
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::vector<float>& values = state.at(names_[i]);
    if (values.size() != state_[i].size())
      throw ModelError(fmt::format("{} of the state has {} numbers, expected {}", names_[i], values.size(),
                                   state_[i].size()));
  }
  for (std::size_t i = 0; i < names_.size(); ++i) std::ranges::copy(state.at(names_[i]), state_[i].data());
}

std::size_t Optimizer::bytes() const {
  std::size_t bytes = 0;
  for (const AlignedBuffer<float>& arena : state_) bytes += arena.size() * sizeof(float);
  return bytes;
}

}  // namespace lockstep::optim
