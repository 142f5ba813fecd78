// Files of another program's step: what is read of them, and what is said of wrong ones. tests/interchange
// plants mistakes in a NumPy implementation.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "compare/comparison.h"
#include "compare/hypotheses.h"
#include "support.h"

namespace lockstep::compare {
namespace {

namespace fs = std::filesystem;
using train::StepArray;

// A step of a network of 3 inputs, two layers of 4 tanh units and 2 classes, on 6 samples in two
// micro-batches.
class Steps : public testing::Test {
 protected:
  Steps()
      : model_(options(), 3, 2),
        rules_{model_, kernels::Loss::kCrossEntropy, training_},
        layout_(rules_, std::nullopt, 2, 6),
        path_(fs::temp_directory_path() / ("lockstep-compare-" + std::to_string(::getpid()) + ".npz")) {
    training_.optimizer = {.learning_rate = 0.1, .momentum = 0.9, .l2 = 0.1};
    const auto inputs = test::random_floats(18, 1), weights = test::random_floats(model_.parameters(), 2);
    start_.learning_rate = 0.1;
    start_.inputs.assign(inputs.begin(), inputs.end());
    start_.targets = {0, 1, 1, 0, 1, 0};
    start_.sample_ids = {0, 1, 2, 3, 4, 5};
    start_.micro_batches = {4, 2};
    start_.parameters.assign(weights.begin(), weights.end());
    for (const nn::Tensor& tensor : model_.tensors())
      start_.optimizer["momentum"].emplace_back(tensor.size, 0.25);
    arrays_ = train::step_in_double(rules_, start_);
  }
  ~Steps() override { fs::remove(path_); }

  static nn::ModelOptions options() {
    nn::ModelOptions options;
    options.hidden = {4, 4};
    options.activation = kernels::Activation::kTanh;
    return options;
  }

  const StepArray& array(const std::string& name) const {
    for (const StepArray& one : layout_.arrays())
      if (one.name == name || one.alias == name) return one;
    throw std::out_of_range(name);
  }
  // The array as float32 under that name, spoilt by change(values).
  template <typename Change>
  npz::Entry entry(const std::string& name, Change&& change) const {
    std::vector<double> values = layout_.values(array(name), start_, arrays_);
    change(values);
    return npz::of_floats(name, array(name).shape, std::vector<float>(values.begin(), values.end()));
  }
  npz::Entry entry(const std::string& name, double factor = 1.0) const {
    return entry(name, [factor](std::vector<double>& values) {
      for (double& x : values) x *= factor;
    });
  }
  StudentArrays read(const std::vector<npz::Entry>& entries) {
    npz::write_npz(path_, entries);
    npz::NpzFile file(path_);
    return student_arrays("mine.npz", file, layout_, start_);
  }
  Comparison compared(const std::vector<npz::Entry>& entries, std::optional<double> tolerance = {}) {
    return compare(layout_, start_, read(entries), tolerance);
  }
  std::string trouble_with(const std::vector<npz::Entry>& entries) {
    try {
      read(entries);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  static std::string first_cause(const Comparison& result) {
    const auto& causes = result.arrays.at(result.first_wrong.value()).causes;
    return causes.empty() ? "" : causes[0].id;
  }

  train::TrainOptions training_;
  nn::Model model_;
  train::StepRules rules_;
  train::StepLayout layout_;
  train::StepStart start_;
  train::StepArrays arrays_;
  fs::path path_;
};

TEST_F(Steps, AgreeWithThemselvesUnderEitherName) {
  std::vector<npz::Entry> names, aliases;
  for (const StepArray& one : layout_.arrays()) {
    names.push_back(entry(one.name));
    if (!one.alias.empty()) aliases.push_back(entry(one.alias));
  }
  EXPECT_EQ(compared(names).arrays.size(), layout_.arrays().size());
  EXPECT_FALSE(compared(names).first_wrong);
  EXPECT_GT(aliases.size(), 30U);
  EXPECT_FALSE(compared(aliases).first_wrong);
}

TEST_F(Steps, HaveEveryArrayOnceInTheOrderOfTheComputation) {
  std::set<std::string> names;
  ArrayKind last = ArrayKind::kInputs;
  for (const StepArray& one : layout_.arrays()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_GE(one.kind, last);
    last = one.kind;
  }
}

// What put() takes is what values() gives, of every array that has a place of its own.
TEST_F(Steps, GiveBackWhatIsPut) {
  train::StepStart start = start_;
  train::StepArrays arrays = train::unknown_arrays(rules_);
  for (const StepArray& one : layout_.arrays())
    layout_.put(one, layout_.values(one, start_, arrays_), start, arrays);
  for (const StepArray& one : layout_.arrays())
    EXPECT_EQ(layout_.values(one, start, arrays), layout_.values(one, start_, arrays_)) << one.name;
}

TEST_F(Steps, AreReadWhereWeightsAreTheOtherWayRound) {
  const auto turned = [&](const std::string& name) {
    const auto values = layout_.values(array(name), start_, arrays_);
    const std::size_t rows = array(name).shape[0], cols = array(name).shape[1];
    std::vector<float> other(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      other[i % cols * rows + i / cols] = static_cast<float>(values[i]);
    return npz::of_floats(name, {cols, rows}, other);
  };
  EXPECT_EQ(read({turned("W1"), turned("dW2")}).conventions.size(), 1U);
  EXPECT_FALSE(compared({turned("W1"), turned("dW2")}).first_wrong);
  EXPECT_FALSE(compared({turned("W2")}).first_wrong) << "a square weight alone, whose numbers tell";
  EXPECT_EQ(read({entry("W2")}).conventions.size(), 0U);
  const Comparison mixed = compared({entry("W1"), turned("dW1")});
  EXPECT_EQ(first_cause(mixed), "transposed");
  EXPECT_EQ(first_cause(compared({entry("W1"), turned("dW2")})), "transposed");
}

TEST_F(Steps, AreRefusedWithOneLine) {
  EXPECT_EQ(trouble_with({npz::of_floats("dw1", {4, 3}, std::vector<float>(12))}),
            "mine.npz: dw1 is no array of this network's step, did you mean dW1?");
  EXPECT_EQ(trouble_with({npz::of_floats("dW1", {4, 4}, std::vector<float>(16))}),
            "mine.npz: dW1 has shape (4, 4), expected (4, 3)");
  const std::int64_t classes[] = {0, 1, 1, 0, 1, 0};
  EXPECT_NE(trouble_with({npz::of_integers("z1", {6}, classes)}).find("expected float32 or float64"),
            std::string::npos);
  EXPECT_EQ(trouble_with({npz::of_integers("y", {6}, classes)}), "");
  EXPECT_NE(trouble_with({npz::of_floats("y", {6, 2}, std::vector<float>(12))}).find("not one-hot in row 0"),
            std::string::npos);
  EXPECT_NE(trouble_with({entry("dW1", [](auto& values) { values[3] = test::kInfinity; })})
                .find("inf as its element 3"),
            std::string::npos);
  EXPECT_NE(trouble_with({npz::of_text("README", "only")}).find("has no array of the step"),
            std::string::npos);
}

TEST_F(Steps, NameTheCauseOfAWrongOne) {
  EXPECT_EQ(first_cause(compared({entry("dz3", -1.0)})), "sign");
  EXPECT_EQ(first_cause(compared({entry("dz2", 6.0)})), "not-divided-by-batch");
  EXPECT_EQ(first_cause(compared({entry("dz2", 0.37)})), "factor");
  EXPECT_EQ(first_cause(compared({entry("dW2",
                                        [&](auto& values) {
                                          const auto w = layout_.values(array("W2"), start_, arrays_);
                                          for (std::size_t i = 0; i < values.size(); ++i)
                                            values[i] -= 0.1 * w[i];
                                        })})),
            "l2-missing");
  EXPECT_EQ(first_cause(compared({entry("dz1", [](auto& values) { values[5] += 1.0; })})), "");
}

TEST_F(Steps, SayWhichElementsDifferWhereNothingExplains) {
  const Comparison result = compared({entry("dz1", [](auto& values) { values[5] += 1.0; })});
  const auto& difference = result.arrays[0].difference;
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->different, 1U);
  EXPECT_EQ(difference->elements, 24U);
  EXPECT_EQ(difference->first, (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(difference->where, "rows 1");
}

TEST_F(Steps, FollowFromAnEarlierMistake) {
  train::StepArrays given = train::unknown_arrays(rules_);
  given.outputs[1] = arrays_.outputs[1];
  for (double& z : given.outputs[1]) z += 0.5;
  const train::StepArrays after = train::step_in_double(rules_, start_, &given);
  const auto of = [&](const std::string& name, const train::StepArrays& arrays) {
    const auto values = layout_.values(array(name), start_, arrays);
    return npz::of_floats(name, array(name).shape, std::vector<float>(values.begin(), values.end()));
  };
  const Comparison result = compared({of("z1", given), of("a1", after), of("z3", after), of("dW1", after)});
  EXPECT_EQ(result.first_wrong, 0U);
  for (std::size_t i = 1; i < result.arrays.size(); ++i)
    EXPECT_EQ(result.arrays[i].status, Status::kFollows) << i;
}

// The derivative of tanh left out at the second layer: the file has the first layer's gradient alone.
TEST_F(Steps, AreSearchedForEarlierMistakesWithinSomeWork) {
  train::StepArrays given = train::unknown_arrays(rules_);
  given.gradients[3] = arrays_.gradients[4];
  const train::StepArrays after = train::step_in_double(rules_, start_, &given);
  const auto values = layout_.values(array("dW1"), start_, after);
  const StudentArrays student =
      read({npz::of_floats("dW1", array("dW1").shape, std::vector<float>(values.begin(), values.end()))});
  const ComparedArray found = compare(layout_, start_, student, {}).arrays.at(0);
  ASSERT_FALSE(found.causes.empty());
  EXPECT_EQ(found.causes[0].id, "activation-derivative-skipped");
  EXPECT_FALSE(found.search_cut);
  const ComparedArray cut = compare(layout_, start_, student, {}, 0.0).arrays.at(0);
  EXPECT_TRUE(cut.causes.empty());
  EXPECT_TRUE(cut.search_cut);
}

TEST_F(Steps, AreAcceptedWithinATolerance) {
  EXPECT_TRUE(compared({entry("z1", 1.001)}).first_wrong);
  EXPECT_FALSE(compared({entry("z1", 1.001)}, 0.01).first_wrong);
}

TEST(Hypotheses, HaveASentenceAndAnIdOfSmallLetters) {
  std::size_t count = 0;
  for (const auto table : {forward_hypotheses(), loss_hypotheses(), backward_hypotheses(),
                           update_hypotheses(), general_hypotheses()})
    for (const Hypothesis& hypothesis : table) {
      ++count;
      const std::string id = hypothesis.id;
      EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz-0123456789"), std::string::npos) << id;
      EXPECT_GT(std::string(hypothesis.sentence).size(), 10U) << id;
    }
  EXPECT_GT(count, 90U);
}

}  // namespace
}  // namespace lockstep::compare
