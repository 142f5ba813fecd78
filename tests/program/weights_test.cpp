// Weights that were saved are the weights that were trained: evaluation and further training start from them.
// And a run that is started again is the same run.
#include <gtest/gtest.h>

#include <regex>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

struct Scores {
  double train_loss = 0.0, test_loss = 0.0, test_accuracy = 0.0;
};

class Weights : public testing::TestWithParam<int> {
 protected:
  Weights() { write_small_config(folder_.path()); }

  // Trains into the folder `name` by run.toml or another configuration.
  void train(const std::string& name, const Words& more = {}, const std::string& config = "run.toml") {
    Words words = {"train", config, "--out", name, "--quiet", "--set", "log.steps=true"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run(words, GetParam(), in(folder_.path()));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }

  void evaluate(const Words& arguments, Scores& scores) {
    Words words = {"eval"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Outcome outcome = run(words, GetParam(), in(folder_.path()));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    std::smatch parts;
    const std::regex form(
        "train +loss ([0-9.]+) +accuracy .*\ntest +loss ([0-9.]+) +accuracy ([0-9.]+) .*\n");
    ASSERT_TRUE(std::regex_match(outcome.out, parts, form)) << outcome.out;
    scores = {std::stod(parts[1]), std::stod(parts[2]), std::stod(parts[3])};
  }

  std::string hash(const std::string& name) const { return weights_hash(folder_ / name); }

  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, Weights, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Weights, testing::Values(3));

TEST_P(Weights, ScoreInEvaluationAsInTheLastRow) {
  ASSERT_NO_FATAL_FAILURE(train("out", {"--set", "train.l2=0.01"}));
  const Table metrics = read_csv(folder_ / "out/metrics.csv");
  const std::vector<Words> ways = {
      {"out"}, {"run.toml", "--set", "train.l2=0.01", "--model", "out/model.safetensors"}};
  for (const Words& way : ways) {
    Scores scores;
    ASSERT_NO_FATAL_FAILURE(evaluate(way, scores));
    EXPECT_NEAR(scores.test_loss, metrics.number(1, "test_loss"), 1e-6 * scores.test_loss);
    EXPECT_NEAR(scores.test_accuracy, metrics.number(1, "test_accuracy"), 1e-8);
  }
}

TEST_P(Weights, HaveTheirEvaluationsLossInTheFirstStepOfFurtherTraining) {
  ASSERT_NO_FATAL_FAILURE(train("first", {"--set", "train.l2=0.01"}));
  Scores scores;
  ASSERT_NO_FATAL_FAILURE(evaluate({"first"}, scores));
  ASSERT_NO_FATAL_FAILURE(train("second", {"--set", "train.l2=0.01", "--set", "train.batch_size=408", "--set",
                                           "train.init_from=first/model.safetensors"}));
  const Table steps = read_csv(folder_ / "second/steps.csv");
  EXPECT_EQ(steps.rows.at(0).at("samples"), "403");
  EXPECT_NEAR(steps.number(0, "loss"), scores.train_loss, 1e-6 * scores.train_loss);
}

TEST_P(Weights, OfTwoEpochsAreThoseOfOneAndAnotherFromThere) {
  // Momentum, the order of samples and the exact mode's scales have a history that a weight file does not
  // tell.
  const Words plain = {"--set", "data.shuffle=none", "--set", "train.momentum=0",
                       "--set", "reduce.mode=float"};
  const auto with = [&plain](Words more) {
    more.insert(more.end(), plain.begin(), plain.end());
    return more;
  };
  ASSERT_NO_FATAL_FAILURE(train("both", plain));
  ASSERT_NO_FATAL_FAILURE(train("first", with({"--set", "train.epochs=1"})));
  ASSERT_NO_FATAL_FAILURE(
      train("second", with({"--set", "train.epochs=1", "--set", "train.init_from=first/model.safetensors"})));
  EXPECT_NE(hash("first"), hash("both"));
  EXPECT_EQ(hash("second"), hash("both"));
}

TEST_P(Weights, AreTheSameFromTheSameCommand) {
  ASSERT_NO_FATAL_FAILURE(train("first"));
  ASSERT_NO_FATAL_FAILURE(train("second"));
  EXPECT_EQ(read_text(folder_ / "first/steps.csv"), read_text(folder_ / "second/steps.csv"));
  EXPECT_EQ(hash("first"), hash("second"));
}

TEST_P(Weights, AreOthersFromAnotherSeed) {
  ASSERT_NO_FATAL_FAILURE(train("first"));
  ASSERT_NO_FATAL_FAILURE(train("second", {"--set", "seed=4"}));
  EXPECT_NE(hash("first"), hash("second"));
}

TEST_P(Weights, AreTheSameFromTheRunFoldersConfiguration) {
  const std::string start = "a \"quoted\" \\ folder";
  ASSERT_NO_FATAL_FAILURE(train(start, {"--set", "model.hidden=[7,9]"}));
  ASSERT_NO_FATAL_FAILURE(train("first", {"--set", "train.learning_rate=1e-5", "--set", "model.hidden=[7,9]",
                                          "--set", "model.init=normal(0.05)", "--set", "train.nesterov=true",
                                          "--set", "train.init_from=" + start + "/model.safetensors"}));
  ASSERT_NO_FATAL_FAILURE(train("second", {}, "first/config.toml"));
  EXPECT_EQ(hash("first"), hash("second"));
  EXPECT_EQ(read_json(folder_ / "first/summary.json").at("config"),
            read_json(folder_ / "second/summary.json").at("config"));
}

TEST_P(Weights, LearnTheSyntheticSet) {
  ASSERT_NO_FATAL_FAILURE(train("out", {"--set", "train.epochs=5", "--set", "data.train_samples=2000"}));
  const Table metrics = read_csv(folder_ / "out/metrics.csv");
  EXPECT_LT(metrics.number(4, "train_loss"), 0.7 * metrics.number(0, "train_loss"));
  EXPECT_GT(metrics.number(4, "test_accuracy"), 0.5);  // chance: 0.1
}

}  // namespace
}  // namespace lockstep::program
