#include "compare/numbers.h"

#include <fmt/format.h>

#include <cmath>
#include <span>

namespace lockstep::compare {
namespace {

// The micro-batches, one after the other: what each makes of its rows of some arrays.
template <typename Look>
void each_micro_batch(const Case& of, Look&& look) {
  std::size_t first = 0;
  for (const std::size_t rows : of.start.micro_batches) {
    const std::size_t sizes[] = {rows};
    const nn::PassContext pass{.seed = of.rules().seed,
                               .step = static_cast<std::uint32_t>(of.start.step),
                               .sample_ids = std::span(of.start.sample_ids).subspan(first, rows),
                               .micro_batches = sizes};
    look(first, rows, pass);
    first += rows;
  }
}

std::vector<std::vector<double>> rows_of(const Case& of, const std::vector<std::vector<double>>& arrays,
                                         std::size_t first, std::size_t rows) {
  std::vector<std::vector<double>> parts;
  for (const auto& array : arrays) {
    const std::size_t width = array.size() / of.start.rows();
    parts.emplace_back(array.begin() + static_cast<std::ptrdiff_t>(first * width),
                       array.begin() + static_cast<std::ptrdiff_t>((first + rows) * width));
  }
  return parts;
}

}  // namespace

std::vector<double> Case::shaped(std::vector<double> numbers) const {
  train::StepStart at = start;
  train::StepArrays all = train::unknown_arrays(rules());
  switch (array.kind) {
    case ArrayKind::kParameter:
      std::ranges::copy(numbers, tensor().slice(std::span(at.parameters)).begin());
      break;
    case ArrayKind::kOutput:
      all.outputs[array.index] = std::move(numbers);
      break;
    case ArrayKind::kOutputGradient:
    case ArrayKind::kInputsGradient:
      all.gradients[array.index] = std::move(numbers);
      break;
    case ArrayKind::kParameterGradient:
      all.parameter_gradients[array.index] = std::move(numbers);
      break;
    case ArrayKind::kState:
      all.optimizer[array.state][array.index] = std::move(numbers);
      break;
    case ArrayKind::kUpdated:
      all.updated[array.index] = std::move(numbers);
      break;
    default:
      return numbers;
  }
  return layout.values(array, at, all);
}

double sum_of(const std::vector<double>& x) {
  double sum = 0.0;
  for (const double value : x) sum += value;
  return sum;
}

std::vector<double> output_of(const Case& of, std::span<const double> arena, std::size_t k,
                              const std::vector<std::vector<double>>& outputs) {
  std::vector<double> y;
  each_micro_batch(of, [&](std::size_t first, std::size_t rows, const nn::PassContext& pass) {
    const auto part = of.model().layer_in_double(arena, k - 1, rows_of(of, outputs, first, rows), pass);
    y.insert(y.end(), part.begin(), part.end());
  });
  return y;
}

Backward backward_of(const Case& of, std::span<const double> arena, std::size_t k,
                     const std::vector<std::vector<double>>& outputs,
                     const std::vector<std::vector<double>>& gradients) {
  Backward result{{}, std::vector<double>(of.model().parameters())};
  each_micro_batch(of, [&](std::size_t first, std::size_t rows, const nn::PassContext& pass) {
    const auto part = of.model().gradient_in_double(arena, k, rows_of(of, outputs, first, rows),
                                                    rows_of(of, gradients, first, rows), result.arena, pass);
    result.dx.insert(result.dx.end(), part.begin(), part.end());
  });
  return result;
}

std::span<const double> params_of(const Case& of, std::size_t layer, std::span<const double> arena) {
  const auto& tensors = of.model().tensors();
  std::size_t begin = 0, size = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (of.model().layer_of(t) != layer || tensors[t].size == 0) continue;
    if (size == 0) begin = tensors[t].offset;
    size += tensors[t].size;
  }
  return arena.subspan(begin, size);
}

std::vector<double> with_bias(const Case& of, double factor) {
  std::vector<double> arena = of.start.parameters;
  for (std::size_t t = 0; t < of.model().tensors().size(); ++t) {
    const nn::Tensor& tensor = of.model().tensors()[t];
    if (of.model().layer_of(t) + 1 == of.array.index && tensor.name.ends_with(".bias"))
      for (double& b : tensor.slice(std::span(arena))) b *= factor;
  }
  return arena;
}

std::vector<double> with_transposed(const Case& of, std::size_t layer) {
  for (std::size_t t = 0; t < of.model().tensors().size(); ++t) {
    const nn::Tensor& tensor = of.model().tensors()[t];
    if (of.model().layer_of(t) != layer || tensor.shape.size() != 2 || tensor.rows() != tensor.cols())
      continue;
    std::vector<double> arena = of.start.parameters;
    const auto w = tensor.slice(std::span(arena));
    const std::size_t n = tensor.rows();
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < i; ++j) std::swap(w[i * n + j], w[j * n + i]);
    return arena;
  }
  return {};
}

std::vector<double> updated_arena(const Case& of) {
  std::vector<double> arena = of.start.parameters;
  for (std::size_t t = 0; t < of.model().tensors().size(); ++t)
    std::ranges::copy(of.arrays.updated[t], of.model().tensors()[t].slice(std::span(arena)).begin());
  return arena;
}

std::vector<OtherActivation> other_activations(const nn::Pointwise& layer) {
  std::vector<OtherActivation> others;
  for (const kernels::Activation activation : kernels::kActivations)
    if (activation != layer.activation() && activation != kernels::Activation::kIdentity)
      others.push_back({std::string(kernels::name(activation)), activation, layer.parameters()});
  for (const double slope : {0.01, 0.1, 0.2, 0.3}) {
    if (layer.activation() == kernels::Activation::kLeakyRelu && slope == layer.parameters().leaky_slope)
      continue;
    others.push_back({fmt::format("leaky_relu with slope {:g}", slope),
                      kernels::Activation::kLeakyRelu,
                      {.leaky_slope = slope}});
  }
  return others;
}

}  // namespace lockstep::compare
