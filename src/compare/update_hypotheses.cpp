#include <algorithm>
#include <cmath>

#include "compare/hypotheses.h"
#include "compare/numbers.h"

namespace lockstep::compare {
namespace {

using Predictions = std::vector<Prediction>;
using Kind = optim::OptimizerOptions::Kind;

const optim::OptimizerOptions& options(const Case& of) { return of.rules().options.optimizer; }
bool is_adam(const Case& of) { return options(of).kind == Kind::kAdam || options(of).kind == Kind::kAdamW; }
double rate(const Case& of) { return of.tensor().learning_rate_factor * of.start.learning_rate; }

// The tensor's numbers in the order of the arena: its gradient with the L2 term and what torch's weight_decay
// adds, its weights before the step, and the velocity before and after.
std::vector<double> gradient(const Case& of) {
  const std::vector<double>& g = of.arrays.parameter_gradients[of.array.index];
  const auto w = of.tensor().slice(std::span(of.start.parameters));
  const double decay = options(of).weight_decay * of.tensor().weight_decay_factor;
  return mapped(g, {w.begin(), w.end()}, [decay](double x, double weight) { return x + decay * weight; });
}
std::vector<double> weights(const Case& of) {
  const auto w = of.tensor().slice(std::span(of.start.parameters));
  return {w.begin(), w.end()};
}
std::vector<double> zeros(const Case& of) { return std::vector<double>(of.tensor().size); }
std::vector<double> velocity_before(const Case& of) {
  return of.start.optimizer.empty() ? zeros(of) : of.start.optimizer.begin()->second[of.array.index];
}
// What the weights are moved along.
std::vector<double> velocity(const Case& of) {
  return of.arrays.optimizer.empty() ? gradient(of) : of.arrays.optimizer.begin()->second[of.array.index];
}

// a v.before + b g.
Predictions state(const Case& of, double a, double b) {
  if (is_adam(of) || options(of).kind == Kind::kLars) return {};
  return {{of.shaped(
      mapped(velocity_before(of), gradient(of), [&](double v, double g) { return a * v + b * g; }))}};
}
double mu(const Case& of) { return options(of).momentum; }
// The velocity times a number: as another program has it that has done so from the first step on, or from
// this one.
Predictions scaled_state(const Case& of, double factor) {
  Predictions predictions = state(of, mu(of), factor);
  if (!predictions.empty())
    predictions.push_back({mapped(of.expected, [factor](double v) { return factor * v; })});
  return predictions;
}
Predictions rate_in_velocity(const Case& of) { return scaled_state(of, rate(of)); }
Predictions minus_rate_in_velocity(const Case& of) { return scaled_state(of, -rate(of)); }
Predictions damped(const Case& of) { return scaled_state(of, 1.0 - mu(of)); }
Predictions damped_with_rate(const Case& of) { return scaled_state(of, (1.0 - mu(of)) * rate(of)); }
Predictions swapped(const Case& of) { return state(of, 1.0 - mu(of), mu(of)); }
Predictions minus_gradient(const Case& of) { return state(of, mu(of), -1.0); }
Predictions minus_velocity(const Case& of) { return state(of, -mu(of), 1.0); }
Predictions gradient_alone(const Case& of) { return state(of, 0.0, 1.0); }
Predictions undamped_velocity(const Case& of) { return state(of, 1.0, 1.0); }
Predictions state_without_l2(const Case& of) {
  const double l2 = options(of).l2 * of.tensor().weight_decay_factor;
  if (l2 == 0.0 || is_adam(of) || options(of).kind == Kind::kLars) return {};
  return {{of.shaped(mapped(velocity(of), weights(of), [&](double v, double w) { return v - l2 * w; }))}};
}
Predictions moments_undamped(const Case& of) {
  if (!is_adam(of)) return {};
  const bool square = of.array.state == "exp_avg_sq";
  const double beta = square ? options(of).beta2 : options(of).beta1;
  const std::vector<double>& before = of.start.optimizer.at(of.array.state)[of.array.index];
  return {{of.shaped(
      mapped(before, gradient(of), [&](double m, double g) { return beta * m + (square ? g * g : g); }))}};
}
Predictions moments_swapped(const Case& of) {
  if (!is_adam(of)) return {};
  const bool square = of.array.state == "exp_avg_sq";
  const double beta = square ? options(of).beta1 : options(of).beta2;
  const std::vector<double>& before = of.start.optimizer.at(of.array.state)[of.array.index];
  return {{of.shaped(mapped(before, gradient(of), [&](double m, double g) {
    return beta * m + (1.0 - beta) * (square ? g * g : g);
  }))}};
}

// w + c step.
Predictions moved(const Case& of, double c, const std::vector<double>& step) {
  return {{of.shaped(mapped(weights(of), step, [c](double w, double s) { return w + c * s; }))}};
}
std::vector<double> true_step(const Case& of) {  // over the rate
  return mapped(weights(of), of.arrays.updated[of.array.index],
                [r = rate(of)](double w, double next) { return r == 0.0 ? 0.0 : (w - next) / r; });
}
bool moves(const Case& of) { return of.tensor().learns(); }
Predictions along_step(const Case& of, double c) {
  if (!moves(of)) return {};
  return moved(of, c * rate(of), true_step(of));
}
Predictions plus(const Case& of) { return along_step(of, 1.0); }
Predictions without_rate(const Case& of) {
  return rate(of) == 0.0 ? Predictions{} : along_step(of, -1.0 / rate(of));
}
Predictions rate_twice(const Case& of) { return along_step(of, -rate(of)); }
Predictions step_twice(const Case& of) { return along_step(of, -2.0); }
Predictions half_step(const Case& of) { return along_step(of, -0.5); }
Predictions rate_over_batch(const Case& of) { return along_step(of, -1.0 / of.rows()); }
Predictions rate_times_batch(const Case& of) { return along_step(of, -of.rows()); }
Predictions tenth(const Case& of) { return along_step(of, -0.1); }
Predictions tenfold(const Case& of) { return along_step(of, -10.0); }
Predictions damped_step(const Case& of) {
  return mu(of) == 0.0 ? Predictions{} : along_step(of, mu(of) - 1.0);
}
Predictions unmoved(const Case& of) {
  return moves(of) ? Predictions{{of.shaped(weights(of))}} : Predictions{};
}
Predictions step_alone(const Case& of) {
  return {{of.shaped(mapped(true_step(of), [r = rate(of)](double s) { return -r * s; }))}};
}
Predictions without_momentum(const Case& of) {
  if (mu(of) == 0.0 || is_adam(of) || !moves(of)) return {};
  return moved(of, -rate(of), gradient(of));
}
Predictions nesterov(const Case& of) {
  if (mu(of) == 0.0 || is_adam(of) || options(of).nesterov || !moves(of)) return {};
  return moved(of, -rate(of),
               mapped(gradient(of), velocity(of), [m = mu(of)](double g, double v) { return g + m * v; }));
}
Predictions no_nesterov(const Case& of) {
  if (!options(of).nesterov || !moves(of)) return {};
  return moved(of, -rate(of), velocity(of));
}
Predictions old_velocity(const Case& of) {
  if (mu(of) == 0.0 || is_adam(of) || !moves(of)) return {};
  return moved(of, -rate(of), velocity_before(of));
}
// A decay on top of the L2 term that the gradient has.
Predictions decayed_again(const Case& of) {
  const double l2 = options(of).l2 * of.tensor().weight_decay_factor;
  if (l2 == 0.0 || !moves(of)) return {};
  return {{of.shaped(mapped(of.arrays.updated[of.array.index], weights(of),
                            [&](double next, double w) { return next - rate(of) * l2 * w; }))}};
}
Predictions update_without_l2(const Case& of) {
  const double l2 = options(of).l2 * of.tensor().weight_decay_factor;
  if (l2 == 0.0 || is_adam(of) || !moves(of)) return {};
  return {{of.shaped(mapped(of.arrays.updated[of.array.index], weights(of),
                            [&](double next, double w) { return next + rate(of) * l2 * w; }))}};
}
Predictions bias_decayed(const Case& of) {
  const double l2 = options(of).l2;
  if (l2 == 0.0 || of.tensor().weight_decay_factor != 0.0 || !moves(of)) return {};
  return {{of.shaped(mapped(of.arrays.updated[of.array.index], weights(of),
                            [&](double next, double w) { return next - rate(of) * l2 * w; }))}};
}
Predictions without_bias_correction(const Case& of) {
  if (!is_adam(of) || !moves(of)) return {};
  const auto& m = of.arrays.optimizer.at("exp_avg")[of.array.index];
  const auto& v = of.arrays.optimizer.at("exp_avg_sq")[of.array.index];
  return moved(of, -rate(of), mapped(m, v, [e = options(of).epsilon](double mean, double square) {
                 return mean / (std::sqrt(square) + e);
               }));
}

constexpr auto kState = ArrayKind::kState, kUpdated = ArrayKind::kUpdated;

const Hypothesis kTable[] = {
    {"velocity-has-rate",
     "the learning rate is in the velocity, v = momentum v + rate g; here, as in torch.optim.SGD, v = "
     "momentum v + g and "
     "W = W - rate v",
     {kState},
     rate_in_velocity},
    {"velocity-is-minus-step",
     "the velocity is the step itself, v = momentum v - rate g and W = W + v; here, as in torch.optim.SGD, v "
     "= momentum v "
     "+ g and W = W - rate v",
     {kState},
     minus_rate_in_velocity},
    {"velocity-damped",
     "the gradient in the velocity is multiplied by 1 - momentum; here, as in torch.optim.SGD, v = momentum "
     "v + g",
     {kState},
     damped},
    {"velocity-damped",
     "the gradient in the velocity is multiplied by 1 - momentum and the learning rate; here v = momentum v "
     "+ g",
     {kState},
     damped_with_rate},
    {"velocity-factors-swapped",
     "momentum and 1 - momentum are swapped, and here nothing is multiplied by 1 - momentum",
     {kState},
     swapped},
    {"velocity-sign",
     "the gradient is subtracted from the velocity, expected added",
     {kState},
     minus_gradient},
    {"velocity-sign", "the velocity is multiplied by -momentum", {kState}, minus_velocity},
    {"momentum-missing",
     "the velocity is the gradient alone: the one before, times the momentum, is left out",
     {kState},
     gradient_alone},
    {"momentum-missing",
     "the velocity before is not multiplied by the momentum",
     {kState},
     undamped_velocity},
    {"l2-missing", "the gradient in the velocity lacks the L2 term", {kState}, state_without_l2},
    {"moments-undamped",
     "the gradient in the moments is not multiplied by 1 - beta",
     {kState},
     moments_undamped},
    {"moments-swapped", "beta1 and beta2 are swapped", {kState}, moments_swapped},
    {"update-sign", "the step is added, expected subtracted: W = W - rate v", {kUpdated}, plus},
    {"rate-missing", "the step is not multiplied by the learning rate", {kUpdated}, without_rate},
    {"rate-twice", "the step is multiplied by the learning rate twice", {kUpdated}, rate_twice},
    {"update-missing", "nothing has moved: these are the parameters before the step", {kUpdated}, unmoved},
    {"update-alone",
     "this is the step alone, -rate v, expected the parameters plus it",
     {kUpdated},
     step_alone},
    {"momentum-missing",
     "the step goes along the gradient, expected along the velocity",
     {kUpdated},
     without_momentum},
    {"nesterov",
     "the step is Nesterov's, W - rate (g + momentum v), expected W - rate v",
     {kUpdated},
     nesterov},
    {"nesterov-missing",
     "the step is W - rate v, expected Nesterov's, W - rate (g + momentum v)",
     {kUpdated},
     no_nesterov},
    {"velocity-old",
     "the step goes along the velocity before this step: update the velocity first",
     {kUpdated},
     old_velocity},
    {"decayed-twice",
     "the weights decay once more: the gradient has the L2 term in it already",
     {kUpdated},
     decayed_again},
    {"l2-missing", "the step lacks the L2 term", {kUpdated}, update_without_l2},
    {"bias-decayed", "the bias decays too, expected the weights alone", {kUpdated}, bias_decayed},
    {"bias-correction-missing",
     "Adam's moments are not divided by 1 - beta^t",
     {kUpdated},
     without_bias_correction},
    {"velocity-damped",
     "the step is 1 - momentum times as long: nothing is multiplied by 1 - momentum here",
     {kUpdated},
     damped_step},
    {"update-twice",
     "the step is twice as long: the update is done twice, or the learning rate doubled",
     {kUpdated},
     step_twice},
    {"update-half", "the step is half as long", {kUpdated}, half_step},
    {"rate-over-batch",
     "the step is divided by the batch size: the gradient is a mean already",
     {kUpdated},
     rate_over_batch},
    {"rate-times-batch",
     "the step is multiplied by the batch size: the gradient is the sum, expected the mean",
     {kUpdated},
     rate_times_batch},
    {"rate-another", "the learning rate is a tenth of what it should be", {kUpdated}, tenth},
    {"rate-another", "the learning rate is ten times what it should be", {kUpdated}, tenfold},
};

}  // namespace

std::span<const Hypothesis> update_hypotheses() { return kTable; }

}  // namespace lockstep::compare
