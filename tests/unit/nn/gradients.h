// A model's gradients, as its backward pass hands them over and as difference quotients of its loss.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "kernels/loss.h"
#include "layer_lists.h"
#include "nn/model.h"
#include "reference_model.h"
#include "windows_in_memory.h"

namespace lockstep::test {

// Adds up each tensor's terms in double, row by row.
class SummingSink final : public nn::GradientSink {
 public:
  explicit SummingSink(const nn::Model& model) : model_(model), gradient_(model.parameters()) {}

  void add(const nn::GradientTerms& terms) override {
    double* sum = gradient_.data() + model_.tensors()[terms.tensor].offset;
    ++times_[terms.tensor];
    const auto at = [](kernels::ConstMatrix m, std::size_t i, std::size_t j) {
      return static_cast<double>(m.data[i * m.row_stride + j * m.col_stride]);
    };
    const std::size_t in = terms.is_product() ? terms.inputs() : 1;
    const auto input = [&](std::size_t row, std::size_t j) {
      if (!terms.is_product()) return 1.0;
      return terms.windows ? double{element(*terms.windows, row, j)} : at(terms.x, row, j);
    };
    for (std::size_t row = 0; row < terms.dy.rows; ++row)
      for (std::size_t i = 0; i < terms.dy.cols; ++i)
        for (std::size_t j = 0; j < in; ++j) sum[i * in + j] += at(terms.dy, row, i) * input(row, j);
  }
  const std::vector<double>& gradient() const { return gradient_; }
  const std::map<std::size_t, int>& times() const { return times_; }

 private:
  const nn::Model& model_;
  std::vector<double> gradient_;
  std::map<std::size_t, int> times_;
};

// The gradient of the batch's mean loss, of one forward and backward pass. Every tensor must have been handed
// over once.
inline std::vector<double> gradient_of(const nn::Model& model, kernels::Loss loss,
                                       std::span<const float> arena, std::span<const Sample> batch,
                                       const nn::PassContext& pass, nn::Workspace& workspace) {
  const std::size_t rows = batch.size();
  const auto targets = fill_input(batch, workspace.input(rows));
  const auto outputs = model.forward(arena, workspace, rows, pass);
  kernels::evaluate_loss(loss, outputs, targets, 1.0 / static_cast<double>(rows),
                         workspace.output_gradient(rows), pass.threads);
  SummingSink sink(model);
  model.backward(arena, workspace, rows, sink, pass);
  EXPECT_EQ(sink.times().size(), model.tensors().size());
  for (const auto& [tensor, times] : sink.times()) EXPECT_EQ(times, 1) << model.tensors()[tensor].name;
  return sink.gradient();
}

// The batch's mean loss, all in double.
inline double loss_in_double(const nn::Model& model, kernels::Loss loss, std::span<const double> arena,
                             std::span<const Sample> batch, const nn::PassContext& pass) {
  std::vector<double> x;
  for (const Sample& sample : batch) x.insert(x.end(), sample.x.begin(), sample.x.end());
  const auto outputs = model.forward_in_double(arena, x, pass);
  double sum = 0.0;
  for (std::size_t i = 0; i < batch.size(); ++i)
    sum += test::sample_loss(loss, std::span(outputs).subspan(i * model.outputs(), model.outputs()),
                             batch[i].label);
  return sum / static_cast<double>(batch.size());
}

inline std::vector<double> central_differences(const nn::Model& model, kernels::Loss loss,
                                               std::span<const float> arena, std::span<const Sample> batch,
                                               const nn::PassContext& pass) {
  constexpr double kStep = 1e-5;
  std::vector<double> moved(arena.begin(), arena.end()), quotients;
  for (double& parameter : moved) {
    const double before = parameter;
    parameter = before + kStep;
    const double up = loss_in_double(model, loss, moved, batch, pass);
    parameter = before - kStep;
    const double down = loss_in_double(model, loss, moved, batch, pass);
    parameter = before;
    quotients.push_back((up - down) / (2.0 * kStep));
  }
  return quotients;
}

}  // namespace lockstep::test
