// Between nn::Model in float and the reference network in double: batches, conversions, comparisons.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

#include "nn/model.h"
#include "reference_network.h"
#include "support.h"

namespace lockstep::test {

// How many outputs a test's network has with a loss: one for binary_cross_entropy, else `several`.
inline std::size_t outputs_with(kernels::Loss loss, std::size_t several) {
  return loss == kernels::Loss::kBinaryCrossEntropy ? 1 : several;
}

inline bool is_weight(const nn::Tensor& tensor) { return tensor.name.ends_with(".weight"); }

// The widths of the model's affine layers: inputs, hidden, outputs.
inline std::vector<std::size_t> widths_of(const nn::Model& model) {
  std::vector<std::size_t> widths = {model.inputs()};
  for (const nn::Tensor& tensor : model.tensors())
    if (is_weight(tensor)) widths.push_back(tensor.shape[0]);
  return widths;
}

inline ReferenceNetwork reference_of(const nn::Model& model, kernels::Activation activation,
                                     kernels::Loss loss, std::span<const float> arena, double l2 = 0.0) {
  return {widths_of(model), activation, loss, l2, {arena.begin(), arena.end()}, {}};
}

// Samples whose inputs are floats on [-1, 1), of a class for each output (of two for a single one).
inline std::vector<Sample> random_batch(std::size_t rows, std::size_t inputs, std::size_t outputs,
                                        std::uint64_t seed) {
  const std::size_t classes = std::max<std::size_t>(outputs, 2);
  const auto x = random_floats(rows * inputs, seed);
  std::vector<Sample> batch;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto begin = x.begin() + static_cast<std::ptrdiff_t>(i * inputs);
    batch.push_back({{begin, begin + static_cast<std::ptrdiff_t>(inputs)},
                     static_cast<double>((i * i + seed) % classes)});
  }
  return batch;
}

// Writes the samples' inputs as rows; returns their labels.
inline std::vector<float> fill_input(std::span<const Sample> batch, kernels::Matrix input) {
  std::vector<float> labels;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (std::size_t j = 0; j < batch[i].x.size(); ++j)
      input.data[i * input.row_stride + j] = static_cast<float>(batch[i].x[j]);
    labels.push_back(static_cast<float>(batch[i].label));
  }
  return labels;
}

// Fails unless every tensor of `found` is within `tolerance` of `expected`, relative to the tensor's norm.
template <typename Found>
void expect_close_tensors(const nn::Model& model, const Found& found, const std::vector<double>& expected,
                          double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (const nn::Tensor& tensor : model.tensors()) {
    double difference = 0.0, norm = 0.0;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
      difference += std::pow(static_cast<double>(found[i]) - expected[i], 2);
      norm += expected[i] * expected[i];
    }
    EXPECT_LE(std::sqrt(difference), tolerance * std::sqrt(norm) + 1e-30) << tensor.name;
  }
}

}  // namespace lockstep::test
