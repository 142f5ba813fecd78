#include "optim/update_in_double.h"

#include <cmath>

namespace lockstep::optim {
namespace {

using Kind = OptimizerOptions::Kind;

bool is_adam(const OptimizerOptions& options) {
  return options.kind == Kind::kAdam || options.kind == Kind::kAdamW;
}

// What the method takes for the gradient of each weight.
std::vector<double> whole_gradient(const OptimizerOptions& options, const Optimizer::Part& part,
                                   std::span<const double> gradient, std::span<const double> w) {
  const double coupled = options.kind == Kind::kAdamW ? 0.0 : options.weight_decay;
  std::vector<double> g(w.size());
  for (std::size_t i = 0; i < w.size(); ++i)
    g[i] = part.trust * (part.clip * gradient[i] + part.decay_factor * (options.l2 + coupled) * w[i]);
  return g;
}

}  // namespace

TensorState next_state_in_double(const OptimizerOptions& options, const Optimizer::Part& part,
                                 std::span<const double> gradient, std::span<const double> w,
                                 TensorState state) {
  const std::vector<double> g = whole_gradient(options, part, gradient, w);
  for (auto& [name, values] : state) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      if (name == "exp_avg")
        values[i] += (1.0 - options.beta1) * (g[i] - values[i]);
      else if (name == "exp_avg_sq")
        values[i] = options.beta2 * values[i] + (1.0 - options.beta2) * g[i] * g[i];
      else
        values[i] = options.momentum * values[i] + g[i];
    }
  }
  return state;
}

std::vector<double> next_weights_in_double(const OptimizerOptions& options, const Optimizer::Part& part,
                                           std::span<const double> gradient, std::span<const double> w,
                                           const TensorState& next_state) {
  const std::vector<double> g = whole_gradient(options, part, gradient, w);
  std::vector<double> next(w.begin(), w.end());
  if (is_adam(options)) {
    const std::vector<double>&m = next_state.at("exp_avg"), &v = next_state.at("exp_avg_sq");
    const auto t = static_cast<double>(part.step);
    const double of_mean = 1.0 - std::pow(options.beta1, t), of_square = 1.0 - std::pow(options.beta2, t);
    const double decoupled = options.kind == Kind::kAdamW ? part.decay_factor * options.weight_decay : 0.0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      next[i] -= part.rate * decoupled * w[i];
      next[i] -= part.rate / of_mean * m[i] / (std::sqrt(v[i] / of_square) + options.epsilon);
    }
    return next;
  }
  const std::vector<double>* const v = next_state.empty() ? nullptr : &next_state.begin()->second;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double step = v == nullptr ? g[i] : options.nesterov ? g[i] + options.momentum * (*v)[i] : (*v)[i];
    next[i] -= part.rate * step;
  }
  return next;
}

}  // namespace lockstep::optim
