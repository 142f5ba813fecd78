// Losses over the rows of a batch of outputs, with their gradients.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/fixed_sum.h"
#include "kernels/gemm.h"

namespace lockstep::kernels {

// Of one sample, with outputs o_1..o_C and its target. With several outputs the target is a class, and t its
// one-hot vector; a single output is to become the target itself: a value, or the class, 0 or 1.
//   cross_entropy         -log softmax(o)_class                    do = softmax(o) - t       C >= 2
//   binary_cross_entropy  -t log p - (1-t) log(1-p),               do = p - t                C = 1; t is 0, 1
//                         p = sigmoid(o); o is the logit
//   mse                   sum_k (o_k - t_k)^2                      do = 2 (o - t)
//   half_mse              1/2 sum_k (o_k - t_k)^2                  do = o - t
// Source: Goodfellow, Bengio, Courville, Deep Learning (2016), 6.2.2.
//
// Label smoothing e, of cross_entropy alone: t is 1 - e + e/C at the class and e/C elsewhere, and the loss
// -sum_k t_k log softmax(o)_k; do = softmax(o) - t as before. Source: Szegedy et al., "Rethinking the
// Inception Architecture for Computer Vision", CVPR 2016, 7; torch.nn.CrossEntropyLoss has the same.
enum class Loss { kCrossEntropy, kBinaryCrossEntropy, kMse, kHalfMse };

std::string_view name(Loss loss);

// What a set of samples contributes to the loss and the accuracy. Sums do not depend on their order.
struct LossSums {
  FixedSum loss;             // of the samples' losses
  std::int64_t correct = 0;  // samples whose predicted class is their target
  std::int64_t samples = 0;

  void add(const LossSums& other) {
    loss.add(other.loss);
    correct += other.correct;
    samples += other.samples;
  }
};

// The class that outputs o_1..o_C stand for: the largest one's, the first of equals; with a single output 1
// where it is above 0 (a logit) or 1/2 (for mse and half_mse), else 0.
std::size_t predicted_class(Loss loss, std::span<const float> outputs);

// How many outputs come before a class's, 0 for the predicted class: those that are larger, and of equals
// those before it. Of an output that is no number all others do.
std::size_t place_of_class(std::span<const float> outputs, std::size_t label);

// The probabilities that the outputs stand for, class by class (a single output gives two): softmax, sigmoid,
// or the outputs themselves where the loss knows none. Overwrites probabilities, max(C, 2) of them.
void class_probabilities(Loss loss, std::span<const float> outputs, std::span<double> probabilities);

// One sample's loss. slopes (C), unless empty, is overwritten with its derivatives by the outputs.
double sample_loss(Loss loss, std::span<const double> outputs, double target, double label_smoothing = 0.0,
                   std::span<double> slopes = {});

// Sums over the rows of outputs (B,C); targets has B entries, classes below C or values.
// gradient (B,C), unless empty, is overwritten with scale * d(sample's loss)/d(outputs): scale = 1/global
// batch makes it the derivative of the mean loss over the global batch. Each row's results depend on that row
// alone. Works in double inside a row.
LossSums evaluate_loss(Loss loss, ConstMatrix outputs, std::span<const float> targets, double scale,
                       Matrix gradient, int threads, double label_smoothing = 0.0);

}  // namespace lockstep::kernels
