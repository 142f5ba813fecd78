// The arrays of a training step as other programs have them: by name, and in the shapes of PyTorch's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/image.h"
#include "train/step_in_double.h"

namespace lockstep::train {

// In the order of the computation.
enum class ArrayKind {
  kInputs,
  kTargets,
  kParameter,    // before the step
  kStateBefore,  // of the optimizer
  kMask,         // of a dropout layer: 0, or 1 / (1 - rate)
  kOutput,
  kProbabilities,  // that the last outputs stand for, by softmax or sigmoid
  kLoss,
  kProbabilitiesGradient,
  kOutputGradient,
  kInputsGradient,
  kParameterGradient,
  kLearningRate,
  kMomentum,
  kState,  // after the step, as are these:
  kUpdated
};

struct StepArray {
  std::string name;   // such as "layers.0.weight.grad"
  std::string alias;  // such as "dW1"; only in networks whose layers with parameters are all dense
  ArrayKind kind = ArrayKind::kInputs;
  std::size_t index = 0;  // of a tensor of the model, or of an output (skips.h)
  std::string state;      // of kStateBefore and kState: which, by Optimizer::state's name
  std::vector<std::size_t> shape;
};

// Whether an array is computed from an earlier one, if on the way over others.
bool leads_to(const StepArray& earlier, const StepArray& what);

// Images are (rows, channels, height, width), weights as in model.safetensors, targets (rows) classes or
// (rows, outputs) values. Biases, velocities and the like have their tensor's shape.
class StepLayout {
 public:
  // image: of a sample, where it is one. classes: 0 where targets are values. rules.model must outlive it.
  StepLayout(const StepRules& rules, const std::optional<nn::ImageShape>& image, std::size_t classes,
             std::size_t rows);

  // All of them, in order. Tensors that are frozen have neither gradient nor state.
  const std::vector<StepArray>& arrays() const { return arrays_; }
  const StepRules& rules() const { return rules_; }
  std::size_t rows() const { return rows_; }
  bool has_classes() const { return classes_ != 0; }

  // An array's numbers, in C order. Of all of `arrays`, which may be unknown, only the one is read; it is
  // empty where that is not known.
  std::vector<double> values(const StepArray& array, const StepStart& start, const StepArrays& arrays) const;
  // Puts such numbers, as many as the shape says, where values() finds them; none: it is not known (of
  // arrays). An array that is worked out from others, such as probabilities, has no place of its own.
  void put(const StepArray& array, const std::vector<double>& values, StepStart& start,
           StepArrays& arrays) const;

 private:
  void add(ArrayKind kind, std::size_t index, std::string name, std::vector<std::size_t> shape,
           std::string state = {});
  void add_of_tensors(ArrayKind kind, const std::string& ending, const std::string& state = {});
  void add_states(ArrayKind kind, const std::string& ending);
  void name_aliases();
  std::vector<std::size_t> shape_of_output(std::size_t number) const;
  // Images of `number`, channel by channel where they lie pixel by pixel; and back.
  std::vector<double> to_channels(std::size_t number, const std::vector<double>& rows) const;
  std::vector<double> to_pixels(std::size_t number, const std::vector<double>& rows) const;

  StepRules rules_;
  std::optional<nn::ImageShape> image_;
  std::size_t classes_, rows_;
  std::vector<StepArray> arrays_;
};

// Of the last outputs (rows, C): softmax, of a single one sigmoid. Empty where the loss knows no
// probabilities.
std::vector<double> probabilities_of(const StepRules& rules, const std::vector<double>& outputs);
// The derivative of the mean loss by these, each taken as a variable of its own:
//   cross_entropy         -t / p / rows
//   binary_cross_entropy  (p - t) / (p (1 - p)) / rows
std::vector<double> probability_gradient(const StepRules& rules, const StepStart& start,
                                         const std::vector<double>& outputs);

}  // namespace lockstep::train
