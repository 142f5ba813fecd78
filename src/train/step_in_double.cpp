#include "train/step_in_double.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/simd.h"
#include "optim/update_in_double.h"
#include "train/gradient_norms.h"

namespace lockstep::train {
namespace {

using Rows = std::vector<std::vector<double>>;

double sum_of_squares(std::span<const double> x) {
  double sum = 0.0;
  for (const double value : x) sum += value * value;
  return sum;
}

class Step {
 public:
  Step(const StepRules& rules, const StepStart& start, const StepArrays* given)
      : rules_(rules), start_(start), given_(given), result_(unknown_arrays(rules)) {
    result_.outputs[0] = start.inputs;
    const auto& layers = rules.model.layers();
    for (std::size_t k = 0; k < result_.outputs.size(); ++k) {
      const std::size_t width = k == 0 ? rules.model.inputs() : layers[k - 1]->outputs();
      result_.outputs[k].resize(start.rows() * width);
      result_.gradients[k].resize(start.rows() * width);
    }
  }

  StepArrays take() {
    std::size_t row = 0;
    for (const std::size_t rows : start_.micro_batches) {
      micro_batches_.push_back({row, rows});
      row += rows;
    }
    losses_.resize(start_.rows());
    sums_.resize(micro_batches_.size());
    parallel_ranges(micro_batches_.size(), 1, rules_.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t m = begin; m < end; ++m) pass(m);
    });
    add_up();
    update();
    return std::move(result_);
  }

 private:
  struct MicroBatch {
    std::size_t first, rows;
  };

  // The rows of an array of all rows that are a micro-batch's.
  template <typename T>
  std::span<T> part(std::span<T> all, const MicroBatch& of) const {
    const std::size_t width = all.size() / start_.rows();
    return all.subspan(of.first * width, of.rows * width);
  }
  // What later arrays are computed from: the given array where it is known, else what has been computed.
  static const std::vector<double>& known(const std::vector<double>& given, const std::vector<double>& own) {
    return given.empty() ? own : given;
  }
  // The same of a micro-batch's rows, `own`, which are kept.
  std::vector<double> keep(const std::vector<double>* given, std::vector<double> own,
                           std::vector<double>& all, const MicroBatch& of) const {
    std::ranges::copy(own, part(std::span(all), of).begin());
    if (given == nullptr || given->empty()) return own;
    const auto theirs = part(std::span(*given), of);
    return {theirs.begin(), theirs.end()};
  }

  // Forward and backward, of one micro-batch.
  void pass(std::size_t number) {
    const MicroBatch& of = micro_batches_[number];
    const nn::Model& model = rules_.model;
    const std::size_t layers = model.layers().size(), width = model.outputs();
    const std::size_t sizes[] = {of.rows};
    const nn::PassContext context{.seed = rules_.seed,
                                  .step = static_cast<std::uint32_t>(start_.step),
                                  .sample_ids = std::span(start_.sample_ids).subspan(of.first, of.rows),
                                  .micro_batches = sizes};
    const auto given_output = [&](std::size_t k) {
      return given_ == nullptr ? nullptr : &given_->outputs[k];
    };
    const auto moves = [&] { liveness::move(rules_.progress); };
    const auto given_gradient = [&](std::size_t k) {
      return given_ == nullptr ? nullptr : &given_->gradients[k];
    };
    const auto inputs = part(std::span(start_.inputs), of);
    Rows outputs = {keep(given_output(0), {inputs.begin(), inputs.end()}, result_.outputs[0], of)};
    for (std::size_t l = 0; l < layers; ++l, moves())
      outputs.push_back(keep(given_output(l + 1),
                             model.layer_in_double(start_.parameters, l, outputs, context),
                             result_.outputs[l + 1], of));
    std::vector<double> slopes(outputs.back().size());
    for (std::size_t i = 0; i < of.rows; ++i)
      losses_[of.first + i] = kernels::sample_loss(
          rules_.loss, std::span(outputs.back()).subspan(i * width, width), start_.targets[of.first + i],
          rules_.options.label_smoothing, std::span(slopes).subspan(i * width, width));
    for (double& slope : slopes) slope /= static_cast<double>(start_.rows());
    Rows gradients(layers + 1);
    gradients[layers] = keep(given_gradient(layers), slopes, result_.gradients[layers], of);
    sums_[number].resize(model.parameters());
    for (std::size_t k = layers; k-- > 0; moves())
      gradients[k] =
          keep(given_gradient(k),
               model.gradient_in_double(start_.parameters, k, outputs, gradients, sums_[number], context),
               result_.gradients[k], of);
  }

  // Loss and parameters' gradients, over the micro-batches.
  void add_up() {
    const auto samples = static_cast<double>(start_.rows());
    for (const double loss : losses_) result_.loss += loss / samples;
    const auto& tensors = rules_.model.tensors();
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const double l2 = rules_.options.optimizer.l2 * tensors[t].weight_decay_factor;
      const auto w = tensors[t].slice(std::span(start_.parameters));
      result_.loss += 0.5 * l2 * sum_of_squares(w);
      std::vector<double>& gradient = result_.parameter_gradients[t];
      gradient.resize(w.size());
      for (const auto& sums : sums_) {
        const auto sum = tensors[t].slice(std::span(sums));
        for (std::size_t i = 0; i < w.size(); ++i) gradient[i] += sum[i];
      }
      for (std::size_t i = 0; i < w.size(); ++i) {
        if (tensors[t].has_gradient())
          gradient[i] += l2 * w[i];
        else
          gradient[i] /= static_cast<double>(sums_.size());
      }
    }
  }

  void update() {
    const auto& tensors = rules_.model.tensors();
    const optim::OptimizerOptions& options = rules_.options.optimizer;
    OfTensors plain(tensors.size());  // gradients without the L2 term's
    std::vector<double> squares(tensors.size());
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const auto w = tensors[t].slice(std::span(start_.parameters));
      plain[t] = given_ == nullptr ? result_.parameter_gradients[t]
                                   : known(given_->parameter_gradients[t], result_.parameter_gradients[t]);
      if (!tensors[t].has_gradient()) continue;
      for (std::size_t i = 0; i < w.size(); ++i)
        plain[t][i] -= options.l2 * tensors[t].weight_decay_factor * w[i];
      if (tensors[t].learns()) squares[t] = sum_of_squares(plain[t]);
    }
    const double clip = clip_factor(rules_.options.clip_norm, squares);
    const optim::Optimizer trust_of(options, 0);
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const nn::Tensor& tensor = tensors[t];
      const auto before = tensor.slice(std::span(start_.parameters));
      optim::TensorState state;
      for (const auto& [name, values] : start_.optimizer) state[name] = values[t];
      result_.updated[t].assign(before.begin(), before.end());
      if (!tensor.has_gradient()) {
        for (std::size_t i = 0; i < before.size(); ++i)
          result_.updated[t][i] += tensor.averaged * (plain[t][i] - before[i]);
      } else if (tensor.learns()) {
        optim::Optimizer::Part part{.step = start_.step + 1,
                                    .rate = tensor.learning_rate_factor * start_.learning_rate,
                                    .decay_factor = tensor.weight_decay_factor,
                                    .clip = clip};
        if (tensor.shape.size() > 1)
          part.trust = trust_of.trust(std::sqrt(sum_of_squares(before)), clip * std::sqrt(squares[t]),
                                      tensor.weight_decay_factor);
        state = optim::next_state_in_double(options, part, plain[t], before, std::move(state));
        optim::TensorState shown = state;
        for (auto& [name, values] : shown)
          if (given_ != nullptr) values = known(given_->optimizer.at(name)[t], values);
        result_.updated[t] = optim::next_weights_in_double(options, part, plain[t], before, shown);
      }
      for (auto& [name, values] : state) result_.optimizer[name][t] = std::move(values);
    }
  }

  const StepRules& rules_;
  const StepStart& start_;
  const StepArrays* given_;
  StepArrays result_;
  std::vector<MicroBatch> micro_batches_;
  std::vector<double> losses_;             // of each row
  std::vector<std::vector<double>> sums_;  // of each micro-batch: its gradient, an arena
};

}  // namespace

StepArrays unknown_arrays(const StepRules& rules) {
  const std::size_t outputs = rules.model.layers().size() + 1, tensors = rules.model.tensors().size();
  StepArrays arrays{.outputs = Rows(outputs),
                    .gradients = Rows(outputs),
                    .parameter_gradients = OfTensors(tensors),
                    .optimizer = {},
                    .updated = OfTensors(tensors)};
  for (const std::string& name : optim::state_names(rules.options.optimizer))
    arrays.optimizer[name] = OfTensors(tensors);
  return arrays;
}

StepArrays step_in_double(const StepRules& rules, const StepStart& start, const StepArrays* given) {
  return Step(rules, start, given).take();
}

}  // namespace lockstep::train
