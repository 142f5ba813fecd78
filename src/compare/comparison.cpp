#include "compare/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "compare/hypotheses.h"

namespace lockstep::compare {
namespace {

using train::StepArray;

// Rounding errors that add up on the way to an array, in units of its type's.
constexpr double kRoundings = 512.0;
constexpr double kOfFloat = 0x1p-24 * kRoundings, kMaxOfFloat16 = 0.02;  // of float32 and float64, of float16
// An array is zero but for rounding where it is so small beside the largest of its kind.
constexpr double kNothing = 1e-12;
constexpr std::size_t kMaxCauses = 3;

// Multiply-adds.
double work_of_a_step(const nn::Model& model, std::size_t rows) {
  double work = 0.0;
  for (std::size_t t = 0; t < model.tensors().size(); ++t) work += static_cast<double>(model.work(t));
  return 3.0 * work * static_cast<double>(rows);  // forward, and backward to inputs and to parameters
}

double largest_of(const std::vector<double>& x) {
  double largest = 0.0;
  for (const double value : x) largest = std::max(largest, std::fabs(value));
  return largest;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

class Comparing {
 public:
  Comparing(const train::StepLayout& layout, const train::StepStart& start, const StudentArrays& student,
            std::optional<double> tolerance, double max_work)
      : layout_(layout),
        student_(student),
        tolerance_(tolerance),
        start_(start),
        reference_(train::step_in_double(layout.rules(), start)),
        theirs_start_(start),
        theirs_(train::unknown_arrays(layout.rules())),
        steps_left_(max_work / work_of_a_step(layout.rules().model, start.rows())) {
    for (const StudentArray& array : student.arrays) {
      layout.put(layout.arrays()[array.place], array.values, theirs_start_, theirs_);
      given_.insert(array.place);
    }
    clamp_targets();
    following_ = train::step_in_double(layout.rules(), theirs_start_, &theirs_);
    merged_ = merged(theirs_, following_);
    for (const StepArray& array : layout.arrays())
      scale_of_kind_[array.kind] =
          std::max(scale_of_kind_[array.kind], largest_of(layout.values(array, start_, reference_)));
  }

  Comparison take() {
    for (const StudentArray& array : student_.arrays) see(array);
    accept_conventions();
    for (std::size_t i = 0; i < result_.arrays.size() && !result_.first_wrong; ++i)
      if (result_.arrays[i].status == Status::kWrong) result_.first_wrong = i;
    return std::move(result_);
  }

 private:
  // Classes that there are not would be read beyond the outputs.
  void clamp_targets() {
    if (!layout_.has_classes()) return;
    const std::size_t outputs = layout_.rules().model.outputs();
    const auto most = static_cast<float>(outputs == 1 ? 1 : outputs - 1);
    for (float& t : theirs_start_.targets) t = std::clamp(std::round(t), 0.0F, most);
  }

  // The student's arrays, and what follows from them.
  static train::StepArrays merged(const train::StepArrays& theirs, const train::StepArrays& following) {
    train::StepArrays all = theirs;
    const auto fill = [](std::vector<std::vector<double>>& arrays,
                         const std::vector<std::vector<double>>& others) {
      for (std::size_t i = 0; i < arrays.size(); ++i)
        if (arrays[i].empty()) arrays[i] = others[i];
    };
    fill(all.outputs, following.outputs);
    fill(all.gradients, following.gradients);
    fill(all.parameter_gradients, following.parameter_gradients);
    for (auto& [name, tensors] : all.optimizer) fill(tensors, following.optimizer.at(name));
    fill(all.updated, following.updated);
    all.loss = following.loss;
    return all;
  }

  // What a difference is measured by.
  double scale(const StepArray& array, const std::vector<double>& expected) {
    const double largest = largest_of(expected), of_kind = scale_of_kind_[array.kind];
    if (largest > kNothing * of_kind) return largest;
    return of_kind > 0.0 ? of_kind : 1.0;
  }
  double error(const StepArray& array, const std::vector<double>& found,
               const std::vector<double>& expected) {
    return distance(found, expected) / scale(array, expected);
  }

  void see(const StudentArray& array) {
    const StepArray& what = layout_.arrays()[array.place];
    ComparedArray& result = result_.arrays.emplace_back();
    result.place = array.place;
    result.name = array.name;
    // Values of double precision may be float32's: what rounding explains is no mistake, unless a mistake
    // explains it better.
    const double loose = std::clamp(kRoundings * array.digits, kOfFloat, kMaxOfFloat16),
                 tight = array.exact ? 1e-9 : loose;
    result.tolerance = tolerance_.value_or(loose);
    result.error = error(what, array.values, layout_.values(what, start_, reference_));
    if (array.lies_transposed) {
      result.status = Status::kWrong;
      result.causes.push_back(
          {"transposed",
           fmt::format("it has the transposed shape, expected {}{}", npz::shape_text(what.shape),
                       result.error <= result.tolerance ? "; its numbers are right" : ""),
           what.name});
      return;
    }
    const bool agrees = result.error <= result.tolerance;
    if (agrees && (tolerance_ || result.error <= tight)) return;
    const std::vector<double> expected = expected_of(what);
    const double own = error(what, array.values, expected);
    const bool after_a_wrong_one = std::ranges::any_of(result_.arrays, [](const ComparedArray& other) {
      return other.status == Status::kWrong || other.status == Status::kFollows;
    });
    if (agrees) {
      result.status = Status::kRounding;
      if (own <= tight || after_a_wrong_one) return;
      result.causes = direct_causes(array, expected, tight, own);
      if (!result.causes.empty()) result.status = Status::kWrong;
      return;
    }
    if (own <= result.tolerance && after_a_wrong_one) {
      result.status = Status::kFollows;
      return;
    }
    result.status = Status::kWrong;
    result.causes = direct_causes(array, expected, tolerance_.value_or(tight), own);
    if (result.causes.empty() && tight < result.tolerance)
      result.causes = direct_causes(array, expected, result.tolerance, own);
    if (result.causes.empty() || result.causes.front().id == "factor") add_causes_before(array, result);
    if (result.causes.size() > kMaxCauses) result.causes.resize(kMaxCauses);
    result.difference =
        difference(what.shape, array.values, expected, result.tolerance * scale(what, expected));
  }

  // What an array should be, given the file's earlier ones.
  std::vector<double> expected_of(const StepArray& what) const {
    const bool of_start = what.kind <= ArrayKind::kStateBefore || what.kind == ArrayKind::kLearningRate;
    // Probabilities come of outputs, which may be the student's.
    const bool derived =
        what.kind == ArrayKind::kProbabilities || what.kind == ArrayKind::kProbabilitiesGradient;
    if (of_start) return layout_.values(what, start_, reference_);
    return layout_.values(what, theirs_start_, derived ? merged_ : following_);
  }

  // The hypotheses that predict the array itself. own: its error without any.
  std::vector<Cause> direct_causes(const StudentArray& array, const std::vector<double>& expected,
                                   double tolerance, double own) {
    const StepArray& what = layout_.arrays()[array.place];
    train::StepStart start = theirs_start_;
    train::StepArrays arrays = merged_;
    layout_.put(what, expected, start, arrays);
    const Case of{layout_, start, arrays, what, expected, &array.values};
    std::vector<Cause> causes;
    auto tables = specific_tables();
    tables.push_back(general_hypotheses());
    for (const auto table : tables)
      for (const Hypothesis& hypothesis : table)
        for (const Prediction& prediction : predictions(hypothesis, of)) {
          const double wrong = error(what, array.values, prediction.values);
          // Much better than none; and a factor that nobody knows the reason of is no news after another
          // cause.
          if (wrong > tolerance || wrong > 0.1 * own) continue;
          if (!causes.empty() && std::string_view(hypothesis.id) == "factor") continue;
          if (std::ranges::find(causes, hypothesis.id, &Cause::id) == causes.end())
            causes.push_back(cause(hypothesis, prediction, what.name));
        }
    return causes;
  }

  // Those of earlier arrays that the file does not have, from which this one follows: made once, or else
  // wherever they can be.
  void add_causes_before(const StudentArray& array, ComparedArray& result) {
    std::vector<Cause> causes;
    for (std::size_t place = array.place; place-- > 0;) {
      if (!is_unknown_cause(place, array)) continue;
      for (const auto table : specific_tables())
        for (const Hypothesis& hypothesis : table)
          if (causes.size() < kMaxCauses) try_at(place, hypothesis, array, result.tolerance, causes);
    }
    const bool none = causes.empty();
    for (const auto table : specific_tables())
      for (const Hypothesis& hypothesis : table)
        if (none && causes.size() < kMaxCauses) try_everywhere(hypothesis, array, result.tolerance, causes);
    result.search_cut = causes.empty() && steps_left_ < 1.0;
    result.causes.insert(result.causes.begin(), causes.begin(), causes.end());
  }

  bool is_unknown_cause(std::size_t place, const StudentArray& of) const {
    return !given_.contains(place) && leads_to(layout_.arrays()[place], layout_.arrays()[of.place]);
  }

  // The cause, if the mistake at one array leads to the student's.
  void try_at(std::size_t place, const Hypothesis& hypothesis, const StudentArray& array, double tolerance,
              std::vector<Cause>& causes) {
    const StepArray& earlier = layout_.arrays()[place];
    if (steps_left_ < 1.0 || !applies(hypothesis, earlier.kind)) return;
    const std::vector<double> expected = expected_of(earlier);
    const Case of{layout_, theirs_start_, merged_, earlier, expected, nullptr};
    for (const Prediction& prediction : predictions(hypothesis, of)) {
      train::StepStart start = theirs_start_;
      train::StepArrays given = theirs_;
      layout_.put(earlier, prediction.values, start, given);
      if (leads_to_array(start, given, array, tolerance))
        causes.push_back(cause(hypothesis, prediction, earlier.name));
    }
  }

  // If the mistake at all arrays does, each time with what the earlier ones lead to: as in a loop over the
  // layers.
  void try_everywhere(const Hypothesis& hypothesis, const StudentArray& array, double tolerance,
                      std::vector<Cause>& causes) {
    const StepArray& what = layout_.arrays()[array.place];
    train::StepStart start = theirs_start_;
    train::StepArrays given = theirs_;
    given = without(given, what);
    std::optional<Cause> found;
    for (std::size_t place = 0; place <= array.place; ++place) {
      const StepArray& earlier = layout_.arrays()[place];
      if (place != array.place && !is_unknown_cause(place, array)) continue;
      if (!applies(hypothesis, earlier.kind)) continue;
      if (steps_left_ < 1.0) return;
      const train::StepArrays following = step(start, given);
      const train::StepArrays all = merged(given, following);
      const std::vector<double> expected = layout_.values(earlier, start, all);
      const std::vector<Prediction> made =
          predictions(hypothesis, {layout_, start, all, earlier, expected, nullptr});
      if (made.empty()) continue;
      if (place == array.place) {
        if (found && error(what, array.values, made.front().values) <= tolerance) causes.push_back(*found);
        return;
      }
      if (!found) found = cause(hypothesis, made.front(), earlier.name);
      layout_.put(earlier, made.front().values, start, given);
    }
    if (found && leads_to_array(start, given, array, tolerance)) causes.push_back(*found);
  }
  // All but the one.
  train::StepArrays without(train::StepArrays arrays, const StepArray& one) const {
    train::StepStart unused = theirs_start_;
    if (one.kind > ArrayKind::kStateBefore && one.kind != ArrayKind::kLoss &&
        one.kind != ArrayKind::kLearningRate)
      layout_.put(one, {}, unused, arrays);
    return arrays;
  }

  bool leads_to_array(const train::StepStart& start, const train::StepArrays& given,
                      const StudentArray& array, double tolerance) {
    const StepArray& what = layout_.arrays()[array.place];
    if (steps_left_ < 1.0) return false;
    const train::StepArrays all = step(start, given);
    const auto values = layout_.values(what, start, is_derived(what.kind) ? merged(given, all) : all);
    return error(what, array.values, values) <= tolerance;
  }

  train::StepArrays step(const train::StepStart& start, const train::StepArrays& given) {
    steps_left_ -= 1.0;
    return train::step_in_double(layout_.rules(), start, &given);
  }

  static bool applies(const Hypothesis& hypothesis, ArrayKind kind) {
    return hypothesis.kinds.size() == 0 ||
           std::find(hypothesis.kinds.begin(), hypothesis.kinds.end(), kind) != hypothesis.kinds.end();
  }
  // What a hypothesis has for an array.
  static std::vector<Prediction> predictions(const Hypothesis& hypothesis, const Case& of) {
    if (!applies(hypothesis, of.array.kind)) return {};
    std::vector<Prediction> made = hypothesis.predict(of);
    std::erase_if(
        made, [&](const Prediction& prediction) { return prediction.values.size() != of.expected.size(); });
    return made;
  }
  static std::vector<std::span<const Hypothesis>> specific_tables() {
    return {forward_hypotheses(), loss_hypotheses(), backward_hypotheses(), update_hypotheses()};
  }

  static bool is_derived(ArrayKind kind) {
    return kind == ArrayKind::kProbabilities || kind == ArrayKind::kProbabilitiesGradient;
  }

  static Cause cause(const Hypothesis& hypothesis, const Prediction& prediction, const std::string& array) {
    return {hypothesis.id, fmt::format(fmt::runtime(hypothesis.sentence), prediction.detail), array};
  }

  // Whether the file has arrays of a kind, and all of them are right.
  bool are_right(ArrayKind kind) const {
    bool some = false, right = true;
    for (const ComparedArray& array : result_.arrays) {
      if (layout_.arrays()[array.place].kind != kind) continue;
      some = true;
      right = right && (array.status == Status::kAgrees || array.status == Status::kRounding);
    }
    return some && right;
  }

  // What means something else than the reference's, and leads to what is right.
  void accept_conventions() {
    const bool gradients_are_right = are_right(ArrayKind::kParameterGradient),
               step_is_right = are_right(ArrayKind::kUpdated);
    for (std::size_t i = 0; i < result_.arrays.size(); ++i) {
      ComparedArray& array = result_.arrays[i];
      const bool of_outputs = array_of(array).kind == ArrayKind::kOutputGradient ||
                              array_of(array).kind == ArrayKind::kProbabilitiesGradient ||
                              array_of(array).kind == ArrayKind::kInputsGradient;
      const bool differs = array.status == Status::kWrong || array.status == Status::kFollows;
      if (differs && of_outputs && gradients_are_right &&
          is_of_the_sum(student_.arrays[i], array.tolerance)) {
        array.status = Status::kConvention;
        array.causes = {{"not-divided-by-batch",
                         "it is of each sample's loss, without the 1/N that the parameters' gradients have",
                         array_of(array).name}};
      }
      // The learning rate in the velocity.
      const bool known = !array.causes.empty() && (array.causes[0].id == "velocity-has-rate" ||
                                                   array.causes[0].id == "velocity-is-minus-step");
      if (array.status == Status::kWrong && known && step_is_right) array.status = Status::kConvention;
    }
  }
  const StepArray& array_of(const ComparedArray& array) const { return layout_.arrays()[array.place]; }
  // Whether a gradient is that of the losses' sum.
  bool is_of_the_sum(const StudentArray& array, double tolerance) {
    const StepArray& what = layout_.arrays()[array.place];
    std::vector<double> sum = layout_.values(what, start_, reference_);
    for (double& x : sum) x *= static_cast<double>(start_.rows());
    return start_.rows() > 1 && error(what, array.values, sum) <= tolerance;
  }

  const train::StepLayout& layout_;
  const StudentArrays& student_;
  std::optional<double> tolerance_;
  const train::StepStart& start_;
  train::StepArrays reference_;    // in double precision
  train::StepStart theirs_start_;  // the student's, as far as the file has them
  train::StepArrays theirs_;
  train::StepArrays following_;  // what follows from these, each from the ones before
  train::StepArrays merged_;
  std::set<std::size_t> given_;  // places of what the file has
  std::map<ArrayKind, double> scale_of_kind_;
  double steps_left_;  // that the search for causes may compute
  Comparison result_;
};

}  // namespace

std::string_view name(Status status) {
  switch (status) {
    case Status::kAgrees:
      return "agrees";
    case Status::kRounding:
      return "rounding";
    case Status::kConvention:
      return "convention";
    case Status::kFollows:
      return "follows";
    case Status::kWrong:
      return "wrong";
  }
  return "?";
}

Comparison compare(const train::StepLayout& layout, const train::StepStart& start,
                   const StudentArrays& student, std::optional<double> tolerance, double max_work) {
  return Comparing(layout, start, student, tolerance, max_work).take();
}

}  // namespace lockstep::compare
