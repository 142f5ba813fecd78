// What lockstep eval predicts of the samples of CSV files, whether their targets and the run's data are there
// or not.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "eval_tables.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Twelve rows of three classes, a column of categories and one that is not used; some cells are missing.
class EvalPredictions : public EvalTest {
 protected:
  EvalPredictions() {
    std::ostringstream rows;
    rows << "id,x,shape,kind\n";
    for (int i = 0; i < 36; ++i) {
      rows << i << ",";
      if (i != 7) rows << i % 3 << "." << i % 7;
      rows << (i % 2 == 0 ? ",round," : ",flat,") << i % 3 + 1 << "\n";
    }
    write_text(folder_ / "data.csv", rows.str());
    write_text(folder_ / "test.csv",
               "id,x,shape,kind\n1,0.1,flat,1\n2,,round,2\n3,1.2,round,2\n\n4,2.3,flat,3\n");
    write_text(folder_ / "run.toml", R"(seed = 1
[data]
dataset = "csv"
file = "data.csv"
test_file = "test.csv"
ignore = "id"
missing = "drop"
normalize = "mean_std"
shards = 3
[model]
hidden = [8]
activation = "tanh"
[train]
epochs = 60
batch_size = 12
learning_rate = 0.3
)");
  }
  static Words column(const Table& table, const std::string& name) {
    Words values;
    for (const auto& row : table.rows) values.push_back(row.at(name));
    return values;
  }
};
using ThreeRanksEvalPredictions = EvalPredictions;

TEST_F(ThreeRanksEvalPredictions, HaveTheRowsAndTheClassesOfTheFile) {
  ASSERT_NO_FATAL_FAILURE(train());
  expect_the_same_from_three_ranks({"--predictions", "--confusion"}, {"predictions.csv", "confusion.csv"});
  const Table table = read_csv(folder_ / "1/predictions.csv");
  EXPECT_EQ(table.header, "row,actual,predicted,p_1,p_2,p_3,o0,o1,o2");
  EXPECT_EQ(column(table, "row"), (Words{"1", "3", "4"}));  // the second has a missing cell
  EXPECT_EQ(column(table, "actual"), (Words{"1", "2", "3"}));
  EXPECT_EQ(column(table, "predicted"), (Words{"1", "2", "3"}));
  EXPECT_EQ(read_csv(folder_ / "1/confusion.csv").header, "actual,1,2,3");
}

TEST_F(ThreeRanksEvalPredictions, OfAFileWithoutTargetsAreThoseOfTheSameRows) {
  ASSERT_NO_FATAL_FAILURE(train());
  ASSERT_EQ(eval({"--predictions", "--out", "labelled"}).code, 0);
  write_text(folder_ / "new.csv", "shape,x\nflat,0.1\nround,?\nround,1.2\nflat,2.3\n");
  expect_the_same_from_three_ranks({"--predictions-of", "new.csv"}, {"predictions.csv"});
  const Table known = read_csv(folder_ / "labelled/predictions.csv"),
              table = read_csv(folder_ / "1/predictions.csv");
  EXPECT_EQ(table.header, "row,predicted,p_1,p_2,p_3,o0,o1,o2");
  for (const std::string name : {"row", "predicted", "p_1", "p_2", "p_3", "o0", "o1", "o2"})
    EXPECT_EQ(column(table, name), column(known, name)) << name;
}

// The model knows its columns, categories, classes and scales.
TEST_F(ThreeRanksEvalPredictions, NeedNoTrainingData) {
  ASSERT_NO_FATAL_FAILURE(train());
  write_text(folder_ / "new.csv", "shape,x\nflat,0.1\nround,?\nround,1.2\nflat,2.3\n");
  ASSERT_EQ(eval({"--predictions-of", "new.csv", "--out", "before"}).code, 0);
  fs::remove(folder_ / "data.csv");
  fs::remove(folder_ / "test.csv");
  for (const int ranks : {kOneProcess, 3}) {
    const Outcome outcome =
        eval({"--predictions-of", "new.csv", "--out", "after", "--set", "data.test_file="}, ranks);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("data.csv is not there: only new.csv is evaluated\n"), std::string::npos)
        << outcome.out;
    EXPECT_EQ(read_text(folder_ / "after/predictions.csv"), read_text(folder_ / "before/predictions.csv"));
  }
}

TEST_F(ThreeRanksEvalPredictions, ThatCannotBeMadeAreRefused) {
  ASSERT_NO_FATAL_FAILURE(train());
  write_text(folder_ / "other.csv", "shape,y\nflat,0.1\n");
  const auto refuse = [&](const Words& words, int code, const std::string& says) {
    for (const int ranks : {kOneProcess, 3}) {
      const Outcome outcome = eval(words, ranks);
      EXPECT_EQ(outcome.code, code);
      EXPECT_TRUE(outcome.err.starts_with("lockstep: " + says)) << outcome.err;
      EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    }
  };
  refuse({"--predictions-of", "other.csv"}, 3, "other.csv:1: has no column \"x\", expected the columns of ");
  refuse({"--predictions-of", "gone.csv"}, 3, "gone.csv: cannot be read: No such file or directory");
  refuse({"--predictions-of", "other.csv", "--predictions"}, 2,
         "--predictions and --predictions-of are both set, expected one of them: both write predictions.csv");
  write_planar_config(folder_.path());
  ASSERT_NO_FATAL_FAILURE(train());
  refuse({"--predictions-of", "other.csv"}, 2,
         "--predictions-of other.csv: the network is of the data set circle, expected one of CSV files "
         "(data.dataset = \"csv\")");
}

// Values of thousands: trained on in deviations, reported in the units of the file.
TEST_F(ThreeRanksEvalPredictions, OfScaledTargetsAreInTheUnitsOfTheFile) {
  std::string rows = "x,y\n";
  for (int i = 0; i < 40; ++i) rows += std::to_string(i * 0.05) + "," + std::to_string(5000 + 300 * i) + "\n";
  write_text(folder_ / "data.csv", rows);
  write_text(folder_ / "run.toml", R"(seed = 1
[data]
dataset = "csv"
file = "data.csv"
task = "regression"
target_scale = "mean_std"
test_fraction = 0.25
normalize = "mean_std"
shards = 3
[model]
hidden = []
loss = "mse"
[train]
epochs = 4
batch_size = 15
learning_rate = 0.1
[log]
steps = true
)");
  ASSERT_NO_FATAL_FAILURE(train());
  expect_the_same_from_three_ranks({"--predictions", "--grid"},
                                   {"predictions.csv", "grid.csv", "points.csv"});
  const Table table = read_csv(folder_ / "1/predictions.csv");
  ASSERT_EQ(table.rows.size(), 10U);
  double squares = 0.0;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const double actual = table.number(i, "actual"), error = table.number(i, "predicted") - actual;
    EXPECT_EQ(actual, 5000 + 300 * (table.number(i, "row") - 1));
    squares += error * error;
  }
  const Table metrics = read_csv(folder_ / "out/metrics.csv"), steps = read_csv(folder_ / "out/steps.csv");
  const double loss = metrics.number(3, "test_loss");
  EXPECT_GT(loss, 1.0);
  EXPECT_NEAR(loss, squares / 10.0, 1e-4 * loss);
  EXPECT_GT(steps.number(0, "loss"), 1e6);  // of the first step: about the variance of the values
  EXPECT_GT(metrics.number(0, "train_loss"), 1e5);
}

// The run divides its training file in every way that there is; none of that is of the test file.
TEST_F(ThreeRanksEvalPredictions, OfATestFileNeedNoTrainingDataThatWereDivided) {
  ASSERT_NO_FATAL_FAILURE(train({"data.test_file=", "data.test_fraction=0.2", "data.folds=2",
                                 "data.stratify=true", "data.train_samples=12"}));
  fs::remove(folder_ / "data.csv");
  for (const int ranks : {kOneProcess, 3}) {
    const Outcome outcome = eval({"--set", "data.test_file=test.csv", "--predictions"}, ranks);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("data.csv is not there: only test.csv is evaluated\n"), std::string::npos)
        << outcome.out;
    EXPECT_EQ(read_csv(folder_ / "out/predictions.csv").rows.size(), 3U);
  }
}

TEST_F(ThreeRanksEvalPredictions, OfNewSamplesNeedNoneOfTheRunsFiles) {
  ASSERT_NO_FATAL_FAILURE(train());
  write_text(folder_ / "new.csv", "shape,x\nflat,0.1\nround,2.2\n");
  ASSERT_EQ(eval({"--predictions-of", "new.csv", "--out", "before"}).code, 0);
  const auto expect_said = [&](const std::string& said) {
    for (const int ranks : {kOneProcess, 3}) {
      const Outcome outcome = eval({"--predictions-of", "new.csv", "--out", "after"}, ranks);
      EXPECT_EQ(outcome.code, 0) << outcome.err;
      EXPECT_NE(outcome.out.find(said), std::string::npos) << outcome.out;
      EXPECT_EQ(read_text(folder_ / "after/predictions.csv"), read_text(folder_ / "before/predictions.csv"));
    }
  };
  fs::remove(folder_ / "test.csv");
  expect_said("data.csv and new.csv are evaluated\n");
  fs::remove(folder_ / "data.csv");
  expect_said("test.csv are not there: only new.csv is evaluated\n");
  for (const std::string flag : {"--grid", "--confusion"}) {
    const Outcome outcome = eval({"--predictions-of", "new.csv", flag, "--out", "none"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_TRUE(outcome.err.starts_with("lockstep: " + flag + ": ")) << outcome.err;
    EXPECT_NE(outcome.err.find("expected the data of the run"), std::string::npos) << outcome.err;
    EXPECT_FALSE(fs::exists(folder_ / "none"));
  }
}

}  // namespace
}  // namespace lockstep::program
