#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/version.h"
#include "nn/add.h"
#include "nn/batch_norm.h"
#include "nn/conv.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "nn/multiply.h"
#include "nn/pixels.h"
#include "nn/pointwise.h"
#include "npz/npy.h"
#include "run/recorded_step.h"

namespace lockstep::run {
namespace {

using train::ArrayKind;

// An activation's formula and its slope's, y being f(x).
std::string formula_of(const nn::Pointwise& layer) {
  using kernels::Activation;
  const kernels::ActivationParameters& p = layer.parameters();
  switch (layer.activation()) {
    case Activation::kIdentity:
      return "y = x";
    case Activation::kSigmoid:
      return "y = 1 / (1 + exp(-x));  dx = dy * y (1 - y)";
    case Activation::kTanh:
      return "y = tanh(x);  dx = dy * (1 - y^2)";
    case Activation::kRelu:
      return "y = max(x, 0);  dx = dy where x > 0, else 0";
    case Activation::kLeakyRelu:
      return fmt::format("y = x where x > 0, else {0:g} x;  dx = dy where x > 0, else {0:g} dy",
                         p.leaky_slope);
    case Activation::kElu:
      return fmt::format(
          "y = x where x > 0, else {0:g} (exp(x) - 1);  dx = dy where x > 0, else dy * (y + {0:g})",
          p.elu_alpha);
    case Activation::kGelu:
      return "y = x P(x), P the normal distribution's;  dx = dy * (P(x) + x exp(-x^2/2) / sqrt(2 pi))";
  }
  return "";
}

// Of layer l: x is outputs.l (inputs for the first), y is outputs.(l + 1).
std::string formula_of(const nn::Model& model, bool has_l2, std::size_t l) {
  const nn::Layer& layer = *model.layers()[l];
  std::string tensors;
  std::size_t first = 0;
  while (first < model.tensors().size() && model.layer_of(first) < l) ++first;
  if (!layer.tensors().empty()) {
    const std::string& name = model.tensors()[first].name;
    tensors = name.substr(0, name.rfind('.') + 1);
  }
  if (dynamic_cast<const nn::Dense*>(&layer) != nullptr) {
    const bool bias = layer.tensors().size() > 1;
    return fmt::format("y = x W^T{0};  dW = dy^T x{1}{2};  dx = dy W;  W = {3}weight{4}", bias ? " + b" : "",
                       has_l2 ? " + l2 W" : "", bias ? ",  db = sum of dy's rows" : "", tensors,
                       bias ? fmt::format(", b = {}bias", tensors) : "");
  }
  if (dynamic_cast<const nn::Conv*>(&layer) != nullptr)
    return fmt::format(
        "as torch.nn.functional.conv2d, with {}weight (filters, channels, rows, columns); pixels at the "
        "right and "
        "lower edge that a pooling layer does not read are left out",
        tensors);
  if (dynamic_cast<const nn::BatchNorm*>(&layer) != nullptr)
    return fmt::format(
        "y = weight (x - m) / sqrt(v + epsilon) + bias for each channel, with mean m and biased variance v "
        "of the "
        "sample's MICRO-BATCH (micro_batches has their rows), not of the whole batch; {0}running_mean and "
        "{0}running_var move towards the mean over the micro-batches of m and of the unbiased v",
        tensors);
  if (dynamic_cast<const nn::Dropout*>(&layer) != nullptr)
    return fmt::format("y = x * masks.{0};  dx = dy * masks.{0}", l + 1);
  if (dynamic_cast<const nn::Pixels*>(&layer) != nullptr)
    return "the same numbers; images are (channels, rows, columns) here in either case";
  if (const auto* const pointwise = dynamic_cast<const nn::Pointwise*>(&layer)) return formula_of(*pointwise);
  if (const auto added = model.skips().added_to(l)) return fmt::format("y = x + outputs.{}", *added);
  if (dynamic_cast<const nn::Multiply*>(&layer) != nullptr) return "y = factor x;  dx = factor dy";
  return "pooling, as in PyTorch; the first of equal pixels is a maximum's";
}

std::string loss_formula(const RecordedStep& step) {
  using kernels::Loss;
  const double smoothing = step.run->train.label_smoothing;
  const std::string o = fmt::format("outputs.{}", step.model->layers().size());
  std::string text;
  switch (step.run->model.loss) {
    case Loss::kCrossEntropy:
      text = fmt::format(
          "cross_entropy: -log p[target], p = probabilities = softmax({0});  {0}.grad = (p - onehot(target)) "
          "/ B",
          o);
      if (smoothing > 0.0)
        text += fmt::format(
            "\n  with label smoothing e = {:g}: instead of onehot(target) it is 1 - e + e/C at the target "
            "and e/C elsewhere",
            smoothing);
      break;
    case Loss::kBinaryCrossEntropy:
      text = fmt::format(
          "binary_cross_entropy: -t log p - (1 - t) log(1 - p), p = probabilities = sigmoid({0});  {0}.grad "
          "= (p - t) / B",
          o);
      break;
    case Loss::kMse:
      text = fmt::format("mse: sum over the outputs of (o - t)^2, o = {0};  {0}.grad = 2 (o - t) / B", o);
      break;
    case Loss::kHalfMse:
      text = fmt::format(
          "half_mse: half the sum over the outputs of (o - t)^2, o = {0};  {0}.grad = (o - t) / B", o);
      break;
  }
  return text;
}

std::string optimizer_formula(const train::TrainOptions& options) {
  using Kind = optim::OptimizerOptions::Kind;
  const optim::OptimizerOptions& o = options.optimizer;
  std::string text;
  if (options.clip_norm > 0.0)
    text += fmt::format(
        "  The gradient without its L2 term is first scaled down to norm {:g}, if it is longer.\n",
        options.clip_norm);
  const std::string decay = o.weight_decay > 0.0 ? fmt::format(" + {:g} w", o.weight_decay) : "";
  if (o.kind == Kind::kAdam || o.kind == Kind::kAdamW)
    return text +
           fmt::format(
               "  {} as torch.optim has it, beta1 = {:g}, beta2 = {:g}, epsilon = {:g}, weight_decay = {:g}; "
               "*.exp_avg and *.exp_avg_sq are after the step, *.before before it\n",
               o.kind == Kind::kAdam ? "Adam" : "AdamW", o.beta1, o.beta2, o.epsilon, o.weight_decay);
  const std::string g =
      o.kind == Kind::kLars ? fmt::format("trust (grad{})", decay) : fmt::format("grad{}", decay);
  if (o.momentum == 0.0) return text + fmt::format("  updated = w - learning_rate ({})\n", g);
  text += fmt::format(
      "  velocity = momentum * velocity.before + {}     (as torch.optim.SGD: the learning rate is NOT in the "
      "velocity, "
      "and nothing is multiplied by 1 - momentum)\n",
      g);
  return text +
         (o.nesterov
              ? fmt::format("  updated = w - learning_rate ({} + momentum * velocity)     (Nesterov)\n", g)
              : "  updated = w - learning_rate * velocity\n");
}

}  // namespace

std::string step_readme(const RecordedStep& step, const std::vector<train::Deviation>& deviations) {
  const train::StepStart& start = step.trace.start;
  const train::StepLayout layout = step.layout();
  const nn::Model& model = *step.model;
  const train::TrainOptions& options = step.run->train;
  std::string text = fmt::format(
      "One training step, number {}, of the configuration {}, by Lockstep {}: B = {} samples.\n"
      "Arrays are float32 in C order, scalars float64; one row of inputs, outputs and their gradients is one "
      "sample.\n\n",
      start.step + 1, step.name, kVersion, start.rows());

  text += "Layers. Output K is layer K's; x is its input, y its output, dx and dy their gradients:\n";
  for (std::size_t l = 0; l < model.layers().size(); ++l)
    text += fmt::format("  {:>2}  {:<24}  {}\n", l + 1, model.layers()[l]->description(),
                        formula_of(model, options.optimizer.l2 > 0.0, l));

  text += fmt::format("\nLoss, the mean over the B samples of\n  {}\n", loss_formula(step));
  std::vector<std::string> decayed;
  for (const nn::Tensor& tensor : model.tensors())
    if (tensor.weight_decay_factor != 0.0) decayed.push_back(tensor.name);
  if (options.optimizer.l2 > 0.0)
    text += fmt::format(
        "  plus 0.5 l2 times the sum of the squares of {}, l2 = {:g}: l2 w is therefore part of their "
        "gradients.\n",
        fmt::join(decayed, ", "), options.optimizer.l2);
  else
    text += "  without an L2 term: l2 = 0.\n";
  if (step.target_unit != 1.0)
    text += fmt::format(
        "  Targets are normalised: metrics.csv has this loss times {:g}^2, in the units of the data set.\n",
        step.target_unit);
  text += "  Every gradient is the derivative of this mean: it has 1/B in it. Do not divide again.\n";

  text += fmt::format("\nUpdate of each w, with learning_rate = {:g}:\n{}", start.learning_rate,
                      optimizer_formula(options));

  text +=
      "\nArrays, in the order of the computation (name, the short name that lockstep compare takes too, "
      "shape):\n";
  for (const train::StepArray& array : layout.arrays())
    text += fmt::format("  {:<36}  {:<8}  {}\n", array.name, array.alias, npz::shape_text(array.shape));
  text +=
      "  sample_ids: which training sample each row is, from 0; micro_batches: rows of each; step, classes "
      "(0: targets\n"
      "  are values), target_unit and config (TOML) are what lockstep compare --against reads.\n";

  text += fmt::format(
      "\nChecked against double precision, each array computed from those before it (largest difference, "
      "relative to the\n"
      "largest term of an array's sums; inputs.grad, which training does not need, is of double precision "
      "itself):\n");
  for (const train::Deviation& deviation : deviations)
    text += fmt::format("  {:<24} {:.1e}\n", deviation.kind, deviation.largest);
  return text;
}

}  // namespace lockstep::run
