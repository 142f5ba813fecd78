// What a step does to the parameters w, given the gradient g of the loss: one pass over both, element by
// element. Every method begins with
//   g <- clip g + l2 w        clip: of train.clip_norm, or 1; l2 w is the derivative of 0.5 l2 sum w^2
//
// sgd, as torch.optim.SGD with dampening 0 (v is 0 at first)
//   g <- g + weight_decay w
//   v <- momentum v + g
//   w <- w - rate (g + momentum v) with nesterov, else w - rate v
//
// lars, sgd with a rate for each tensor: before the momentum
//   g <- trust (g + weight_decay w),  trust = trust_coefficient |w| / (clip |g| + (l2 + weight_decay) |w|)
// with norms over the tensor, of the gradient without decays, where both are above 0; trust is 1 otherwise
// and for tensors of one dimension, which are biases and what batch norm learns.
//
// adam, adamw, as torch.optim.Adam and AdamW, at step t = 1, 2, ... (m and v are 0 at first)
//   g <- g + weight_decay w               adam
//   w <- w - rate weight_decay w          adamw
//   m <- m + (1 - beta1) (g - m)
//   v <- beta2 v + (1 - beta2) g^2
//   w <- w - rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
//
// A tensor's decay factor multiplies l2 and weight_decay. Sources: Sutskever et al., "On the importance of
// initialization and momentum", ICML 2013; You, Gitman, Ginsburg, "Large Batch Training of Convolutional
// Networks", 2017 (there v has the rate in it: the same while the rate stays); Kingma and Ba, "Adam", ICLR
// 2015; Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; PyTorch's documentation.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"

namespace lockstep::optim {

struct OptimizerOptions {
  enum class Kind { kSgd, kAdam, kAdamW, kLars } kind = Kind::kSgd;
  double learning_rate = 0.05;
  double momentum = 0.0;  // of kSgd and kLars
  bool nesterov = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // of kAdam and kAdamW
  double trust_coefficient = 0.001;                   // of kLars
  double l2 = 0.0;                                    // part of the loss
  double weight_decay = 0.0;
};

// The names of the arrays that an optimizer keeps beside the parameters, as checkpoints have them; and all
// that there are.
std::vector<std::string> state_names(const OptimizerOptions& options);
inline constexpr const char* kStateNames[] = {"momentum", "lars_momentum", "exp_avg", "exp_avg_sq"};

// Of each name, its array.
using OptimizerState = std::map<std::string, std::vector<float>>;
using OptimizerStateView = std::map<std::string, std::span<const float>>;

class Optimizer {
 public:
  // For so many parameters.
  Optimizer(const OptimizerOptions& options, std::size_t parameters);

  const OptimizerOptions& options() const { return options_; }

  // What a step knows of the tensor that elements are of.
  struct Part {
    std::size_t step = 1;  // t
    double rate = 0.0;
    double decay_factor = 0.0;
    double clip = 1.0;
    double trust = 1.0;
  };

  // One step on these parameters, which are those from number `first` on. The gradient is read only; each
  // element's new value depends on that element alone. Concurrent calls on other elements are safe. Requires:
  // as many elements of each.
  void update(std::span<float> parameters, std::span<const float> gradient, std::size_t first,
              const Part& part);

  // The trust of a tensor of several dimensions with these norms, of its weights and of its gradient times
  // part.clip.
  double trust(double weights, double gradient, double decay_factor) const;

  // What it keeps, a number for each parameter.
  OptimizerStateView state() const;
  // Goes on from such a state. Throws ModelError where it is another optimizer's or of another size.
  void restore(const OptimizerState& state);

  std::size_t bytes() const;

 private:
  OptimizerOptions options_;
  std::size_t parameters_;
  std::vector<std::string> names_;
  std::vector<AlignedBuffer<float>> state_;  // of each name
};

}  // namespace lockstep::optim
