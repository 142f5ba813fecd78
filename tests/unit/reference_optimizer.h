// The optimizers in double precision, written down as their sources have them, one parameter at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "optim/optimizer.h"

namespace lockstep::test {

struct ReferenceOptimizer {
  using Kind = optim::OptimizerOptions::Kind;

  // A tensor's parameters begin ..< end.
  struct Part {
    std::size_t begin = 0, end = 0;
    bool matrix = true;  // of more than one dimension
    double rate_factor = 1.0, decay_factor = 1.0;
  };

  optim::OptimizerOptions options;
  double clip_norm = 0.0;
  std::vector<Part> parts = {};
  std::vector<double> v = {}, m = {};
  std::size_t steps = 0;

  // gradient: of the loss without its L2 term.
  void update(std::span<double> w, std::span<const double> gradient, double rate) {
    ++steps;
    v.resize(w.size());
    m.resize(w.size());
    const double clip = clip_factor(gradient);
    for (const Part& part : parts) {
      if (part.rate_factor == 0.0) continue;
      const double trust = trust_of(part, w, gradient, clip);
      for (std::size_t i = part.begin; i < part.end; ++i) {
        const double loss = clip * gradient[i] + part.decay_factor * options.l2 * w[i];
        step(w[i], loss, part.decay_factor * options.weight_decay * w[i], trust, part.rate_factor * rate, i);
      }
    }
  }

 private:
  double norm(const Part& part, std::span<const double> x) const {
    double sum = 0.0;
    for (std::size_t i = part.begin; i < part.end; ++i) sum += x[i] * x[i];
    return std::sqrt(sum);
  }

  double clip_factor(std::span<const double> gradient) const {
    if (clip_norm == 0.0) return 1.0;
    double sum = 0.0;
    for (const Part& part : parts)
      if (part.rate_factor != 0.0) sum += std::pow(norm(part, gradient), 2);
    return std::min(1.0, clip_norm / (std::sqrt(sum) + 1e-6));
  }

  double trust_of(const Part& part, std::span<const double> w, std::span<const double> gradient,
                  double clip) const {
    if (options.kind != Kind::kLars || !part.matrix) return 1.0;
    const double of_weights = norm(part, w), of_gradient = clip * norm(part, gradient);
    const double decay = part.decay_factor * (options.l2 + options.weight_decay);
    if (of_weights == 0.0 || of_gradient == 0.0) return 1.0;
    return options.trust_coefficient * of_weights / (of_gradient + decay * of_weights);
  }

  void step(double& w, double loss_gradient, double decay, double trust, double rate, std::size_t i) {
    if (options.kind == Kind::kAdam || options.kind == Kind::kAdamW) {
      const double g = options.kind == Kind::kAdam ? loss_gradient + decay : loss_gradient;
      if (options.kind == Kind::kAdamW) w -= rate * decay;
      m[i] = options.beta1 * m[i] + (1.0 - options.beta1) * g;
      v[i] = options.beta2 * v[i] + (1.0 - options.beta2) * g * g;
      const auto t = static_cast<double>(steps);
      const double mean = m[i] / (1.0 - std::pow(options.beta1, t));
      const double square = v[i] / (1.0 - std::pow(options.beta2, t));
      w -= rate * mean / (std::sqrt(square) + options.epsilon);
      return;
    }
    const double g = trust * (loss_gradient + decay);
    v[i] = options.momentum * v[i] + g;
    w -= rate * (options.nesterov ? g + options.momentum * v[i] : v[i]);
  }
};

}  // namespace lockstep::test
