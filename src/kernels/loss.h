// Losses over the rows of a batch of outputs, with their gradients.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/fixed_sum.h"
#include "kernels/gemm.h"

namespace lockstep::kernels {

// With outputs o (C values of one sample) and the one-hot vector t of its label:
//   cross_entropy   -log softmax(o)_label                 do = softmax(o) - t
//   mse             sum_k (o_k - t_k)^2                   do = 2 (o - t)
//   half_mse        1/2 sum_k (o_k - t_k)^2               do = o - t
enum class Loss { kCrossEntropy, kMse, kHalfMse };

std::string_view name(Loss loss);

// What a set of samples contributes to the loss and the accuracy. Sums do not depend on their order.
struct LossSums {
  FixedSum loss;             // of the samples' losses
  std::int64_t correct = 0;  // samples whose largest output (the first of equals) is their label's
  std::int64_t samples = 0;

  void add(const LossSums& other) {
    loss.add(other.loss);
    correct += other.correct;
    samples += other.samples;
  }
};

// Sums over the rows of outputs (B,C); labels has B entries below C.
// gradient (B,C), unless empty, is overwritten with scale * d(sample's loss)/d(outputs): scale = 1/global
// batch makes it the derivative of the mean loss over the global batch. Each row's numbers depend on that row
// alone. Works in double inside a row. Source: Goodfellow, Bengio, Courville, Deep Learning (2016), 6.2.2.
LossSums evaluate_loss(Loss loss, ConstMatrix outputs, std::span<const std::uint8_t> labels, double scale,
                       Matrix gradient, int threads);

}  // namespace lockstep::kernels
