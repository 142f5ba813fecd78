#include "reference_network.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace lockstep::test {
namespace {

[[noreturn]] void no_formula(std::string_view name) {
  throw std::logic_error("the reference network has no formula for " + std::string(name));
}

// log(1 + e^x) and 1 / (1 + e^-x), with no overflow and all digits of small values.
long double softplus(long double x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::fabs(x))); }
long double sigmoid(long double x) {
  const long double e = std::exp(-std::fabs(x));
  return (x < 0.0L ? e : 1.0L) / (1.0L + e);
}

// The logarithm of the sum of the e^(o_k - o_own) of all outputs but `own`.
long double log_sum_of_others(std::span<const double> outputs, std::size_t own) {
  long double largest = -INFINITY, sum = 0.0L;
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (k != own) largest = std::max(largest, static_cast<long double>(outputs[k]) - outputs[own]);
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (k != own) sum += std::exp(static_cast<long double>(outputs[k]) - outputs[own] - largest);
  return largest + std::log(sum);
}

// What output k of `outputs` is to become.
double target(std::size_t k, std::size_t outputs, double label) {
  if (outputs == 1) return label;
  return k == static_cast<std::size_t>(label) ? 1.0 : 0.0;
}

// Every layer's input, then the outputs; and every layer's values before its activation.
struct Activations {
  std::vector<std::vector<double>> inputs, sums;
};

Activations forward(const ReferenceNetwork& net, const Sample& sample) {
  Activations a{{sample.x}, {}};
  for (std::size_t l = 0; l < net.layers(); ++l) {
    const double* weight = net.parameters.data() + net.weight_offset(l);
    const double* bias = net.parameters.data() + net.bias_offset(l);
    std::vector<double> sum, output;
    for (std::size_t i = 0; i < net.widths[l + 1]; ++i) {
      double z = bias[i];
      for (std::size_t j = 0; j < net.widths[l]; ++j) z += weight[i * net.widths[l] + j] * a.inputs[l][j];
      sum.push_back(z);
      output.push_back(l + 1 < net.layers() ? activation(net.activation, z, net.activation_parameters) : z);
    }
    a.sums.push_back(sum);
    a.inputs.push_back(output);
  }
  return a;
}

}  // namespace

double activation(kernels::Activation f, double x, const kernels::ActivationParameters& parameters) {
  const std::string_view name = kernels::name(f);
  if (name == "identity") return x;
  if (name == "sigmoid") return 1.0 / (1.0 + std::exp(-x));
  if (name == "tanh") return std::tanh(x);
  if (name == "relu") return x > 0.0 ? x : 0.0;
  if (name == "leaky_relu") return x > 0.0 ? x : parameters.leaky_slope * x;
  if (name == "elu") return x > 0.0 ? x : parameters.elu_alpha * std::expm1(x);
  if (name == "gelu") return 0.5 * x * std::erfc(-x * std::numbers::sqrt2 / 2.0);
  no_formula(name);
}

double activation_slope(kernels::Activation f, double x, const kernels::ActivationParameters& parameters) {
  const std::string_view name = kernels::name(f);
  if (name == "identity") return 1.0;
  if (name == "sigmoid") return std::exp(-std::fabs(x)) / std::pow(1.0 + std::exp(-std::fabs(x)), 2);
  if (name == "tanh") return 1.0 / std::pow(std::cosh(x), 2);
  if (name == "relu") return x > 0.0 ? 1.0 : 0.0;
  if (name == "leaky_relu") return x > 0.0 ? 1.0 : parameters.leaky_slope;
  if (name == "elu") return x > 0.0 ? 1.0 : parameters.elu_alpha * std::exp(x);
  if (name == "gelu")
    return 0.5 * std::erfc(-x * std::numbers::sqrt2 / 2.0) +
           x * std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
  no_formula(name);
}

double sample_loss(kernels::Loss loss, std::span<const double> outputs, double label) {
  const std::string_view name = kernels::name(loss);
  // -log softmax_label = log(1 + the sum of the others' e^(o_k - o_label)).
  if (name == "cross_entropy")
    return static_cast<double>(softplus(log_sum_of_others(outputs, static_cast<std::size_t>(label))));
  // -log sigmoid(o) = log(1 + e^-o), and -log(1 - sigmoid(o)) = log(1 + e^o).
  if (name == "binary_cross_entropy")
    return static_cast<double>(label * softplus(-outputs[0]) + (1.0L - label) * softplus(outputs[0]));
  double squares = 0.0;
  for (std::size_t k = 0; k < outputs.size(); ++k)
    squares += std::pow(outputs[k] - target(k, outputs.size(), label), 2);
  if (name == "mse") return squares;
  if (name == "half_mse") return 0.5 * squares;
  no_formula(name);
}

std::vector<double> sample_loss_gradient(kernels::Loss loss, std::span<const double> outputs, double label) {
  const std::string_view name = kernels::name(loss);
  std::vector<double> d;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const double wanted = target(k, outputs.size(), label);
    if (name == "cross_entropy") {
      // p_k, or -(1 - p_label): the sigmoid of an output against the others.
      const long double logit = -log_sum_of_others(outputs, k);
      d.push_back(static_cast<double>(wanted == 1.0 ? -sigmoid(-logit) : sigmoid(logit)));
    } else if (name == "binary_cross_entropy") {
      d.push_back(static_cast<double>((1.0L - wanted) * sigmoid(outputs[k]) - wanted * sigmoid(-outputs[k])));
    } else if (name == "mse" || name == "half_mse") {
      d.push_back((name == "mse" ? 2.0 : 1.0) * (outputs[k] - wanted));
    } else {
      no_formula(name);
    }
  }
  return d;
}

double smoothed_loss(kernels::Loss loss, std::span<const double> outputs, double label, double smoothing) {
  const auto classes = static_cast<double>(outputs.size());
  double smoothed = (1.0 - smoothing) * test::sample_loss(loss, outputs, label);
  for (std::size_t k = 0; k < outputs.size() && smoothing != 0.0; ++k)
    smoothed += smoothing / classes * test::sample_loss(loss, outputs, static_cast<double>(k));
  return smoothed;
}

std::vector<double> smoothed_loss_gradient(kernels::Loss loss, std::span<const double> outputs, double label,
                                           double smoothing) {
  const auto classes = static_cast<double>(outputs.size());
  std::vector<double> smoothed = sample_loss_gradient(loss, outputs, label);
  for (double& d : smoothed) d *= 1.0 - smoothing;
  for (std::size_t k = 0; k < outputs.size() && smoothing != 0.0; ++k) {
    const std::vector<double> of_k = sample_loss_gradient(loss, outputs, static_cast<double>(k));
    for (std::size_t i = 0; i < of_k.size(); ++i) smoothed[i] += smoothing / classes * of_k[i];
  }
  return smoothed;
}

std::size_t ReferenceNetwork::weight_offset(std::size_t layer) const {
  std::size_t offset = 0;
  for (std::size_t l = 0; l < layer; ++l) offset += widths[l + 1] * (widths[l] + 1);
  return offset;
}

std::size_t ReferenceNetwork::bias_offset(std::size_t layer) const {
  return weight_offset(layer) + widths[layer + 1] * widths[layer];
}

std::vector<double> ReferenceNetwork::outputs(const Sample& sample) const {
  return forward(*this, sample).inputs.back();
}

double ReferenceNetwork::l2_loss() const {
  double sum = 0.0;
  for (std::size_t l = 0; l < layers(); ++l)
    for (std::size_t i = weight_offset(l); i < bias_offset(l); ++i)
      sum += 0.5 * l2_of(l) * parameters[i] * parameters[i];
  return sum;
}

double ReferenceNetwork::mean_loss(std::span<const Sample> batch) const {
  double sum = 0.0;
  for (const Sample& sample : batch)
    sum += smoothed_loss(loss, outputs(sample), sample.label, label_smoothing);
  return sum / static_cast<double>(batch.size()) + l2_loss();
}

std::vector<double> ReferenceNetwork::gradient(std::span<const Sample> batch, bool with_l2) const {
  std::vector<double> gradient(parameters.size());
  for (const Sample& sample : batch) {
    const Activations a = forward(*this, sample);
    std::vector<double> d = smoothed_loss_gradient(loss, a.inputs.back(), sample.label, label_smoothing);
    for (double& value : d) value /= static_cast<double>(batch.size());
    for (std::size_t l = layers(); l-- > 0;) {
      std::vector<double> before(widths[l]);  // by this layer's input
      for (std::size_t i = 0; i < widths[l + 1]; ++i) {
        if (l + 1 < layers()) d[i] *= activation_slope(activation, a.sums[l][i], activation_parameters);
        gradient[bias_offset(l) + i] += d[i];
        for (std::size_t j = 0; j < widths[l]; ++j) {
          gradient[weight_offset(l) + i * widths[l] + j] += d[i] * a.inputs[l][j];
          before[j] += d[i] * parameters[weight_offset(l) + i * widths[l] + j];
        }
      }
      d = before;
    }
  }
  for (std::size_t l = 0; with_l2 && l < layers(); ++l)
    for (std::size_t i = weight_offset(l); i < bias_offset(l); ++i) gradient[i] += l2_of(l) * parameters[i];
  return gradient;
}

std::size_t ReferenceNetwork::count_correct(std::span<const Sample> batch) const {
  std::size_t correct = 0;
  for (const Sample& sample : batch) {
    const auto o = outputs(sample);
    const double threshold = loss == kernels::Loss::kBinaryCrossEntropy ? 0.0 : 0.5;
    const auto answer = o.size() == 1 ? static_cast<double>(o[0] > threshold)
                                      : static_cast<double>(std::max_element(o.begin(), o.end()) - o.begin());
    correct += answer == sample.label;
  }
  return correct;
}

}  // namespace lockstep::test
