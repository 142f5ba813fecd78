// What students do wrong, as a table: for each cause the arrays it applies to, and what it predicts.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "train/step_layout.h"

namespace lockstep::compare {

using train::ArrayKind;

// An array to be explained, and what is known of the step: of the array itself what it should be, of each
// other the student's, where the file has it, else what follows from those.
struct Case {
  const train::StepLayout& layout;
  const train::StepStart& start;
  const train::StepArrays& arrays;
  const train::StepArray& array;
  const std::vector<double>& expected;  // as the layout shapes it
  const std::vector<double>* found;     // likewise; null: the file does not have it

  const train::StepRules& rules() const { return layout.rules(); }
  const nn::Model& model() const { return rules().model; }
  const nn::Tensor& tensor() const { return model().tensors()[array.index]; }
  double rows() const { return static_cast<double>(start.rows()); }
  // The layer that computes an output, or that reads one; none: null.
  const nn::Layer* layer_before(std::size_t output) const {
    return output == 0 ? nullptr : model().layers()[output - 1].get();
  }
  const nn::Layer* layer_after(std::size_t output) const {
    return output == model().layers().size() ? nullptr : model().layers()[output].get();
  }
  // Of the array's kind, numbers as layers and the arena have them, as the layout shapes them.
  std::vector<double> shaped(std::vector<double> numbers) const;
};

struct Prediction {
  std::vector<double> values;  // of the array, as the layout shapes it
  std::string detail = {};     // takes the place of {} in the sentence
};

struct Hypothesis {
  const char* id;        // which stays the same
  const char* sentence;  // the cause, as one says it to a student
  std::initializer_list<ArrayKind> kinds;
  // What the array would be; nothing where the cause does not apply to it.
  std::vector<Prediction> (*predict)(const Case& of);
};

// The likelier causes come first; general ones last.
std::span<const Hypothesis> forward_hypotheses();
std::span<const Hypothesis> loss_hypotheses();
std::span<const Hypothesis> backward_hypotheses();
std::span<const Hypothesis> update_hypotheses();
// Of any array: a factor, the sign, rows in another order.
std::span<const Hypothesis> general_hypotheses();

}  // namespace lockstep::compare
