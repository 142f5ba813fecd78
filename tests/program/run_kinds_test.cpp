// Runs of every kind of data set, with and without a test set, and the tables of their gradients.
#include <gtest/gtest.h>

#include <cmath>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

class RunKind : public testing::TestWithParam<int> {
 protected:
  RunKind() { write_planar_config(folder_.path()); }

  // Returns what it says.
  std::string train(const Words& settings, const std::string& out = "out") {
    Words words = {"train", "run.toml", "--out", out, "--overwrite"};
    for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
    const Outcome outcome = run(words, GetParam(), in(folder_.path()));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  }
  Table metrics() { return read_csv(folder_ / "out/metrics.csv"); }

  void expect_numbers(const Words& numbers, const Words& nan) {
    const Table table = metrics();
    ASSERT_EQ(table.rows.size(), 4U);
    for (const auto& row : table.rows) {
      for (const std::string& column : numbers)
        EXPECT_TRUE(std::isfinite(std::stod(row.at(column)))) << column;
      for (const std::string& column : nan) EXPECT_EQ(row.at(column), "nan") << column;
    }
    const auto summary = read_json(folder_ / "out/summary.json");
    for (const std::string& column : numbers) EXPECT_TRUE(summary.at(column).is_number()) << column;
    for (const std::string& column : nan) EXPECT_TRUE(summary.at(column).is_null()) << column;
  }

  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, RunKind, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, RunKind, testing::Values(3));

TEST_P(RunKind, WithoutATestSetHasNoTestColumns) {
  const std::string said = train({"data.test_fraction=0"});
  EXPECT_NE(said.find("60 training samples in 4 shards"), std::string::npos) << said;
  EXPECT_NE(said.find("; 0 test samples\n"), std::string::npos) << said;
  EXPECT_EQ(said.find("nan"), std::string::npos) << said;
  expect_numbers({"train_loss", "train_accuracy"}, {"test_loss", "test_accuracy"});
}

TEST_P(RunKind, WithL2AndNoTestSetHasNoTestColumnsEither) {
  train({"data.test_fraction=0", "train.l2=0.01"});
  expect_numbers({"train_loss", "train_accuracy"}, {"test_loss", "test_accuracy"});
}

TEST_P(RunKind, OfRegressionHasNoAccuracies) {
  const std::string said = train({"data.dataset=function", "model.loss=mse"});
  EXPECT_EQ(said.find("nan"), std::string::npos) << said;
  expect_numbers({"train_loss", "test_loss"}, {"train_accuracy", "test_accuracy"});
}

TEST_P(RunKind, OfACsvFileNamesItsClasses) {
  std::string rows = "width,kind,height\n";
  for (int i = 0; i < 30; ++i)
    rows += std::to_string(i % 5) + (i % 5 > 1 ? ",oak," : ",\"ash, old\",") + std::to_string(i % 7) + "\n";
  write_text(folder_ / "trees.csv", rows);
  write_text(folder_ / "run.toml", R"(seed = 1
[data]
dataset = "csv"
file = "trees.csv"
target = "kind"
test_fraction = 0.2
[model]
hidden = [4]
[train]
epochs = 4
batch_size = 8
)");
  const std::string said = train({});
  EXPECT_NE(said.find("trees.csv: labels ash, old, oak are classes 0 to 1\n"), std::string::npos) << said;
  expect_numbers({"train_loss", "train_accuracy", "test_loss", "test_accuracy"}, {});
  EXPECT_EQ(run({"eval", "out", "--confusion"}, GetParam(), in(folder_.path())).code, 0);
  EXPECT_EQ(read_csv(folder_ / "out/confusion.csv").header, "actual,\"ash, old\",oak");
}

TEST_P(RunKind, OfACsvFileWithTestFileOfItsOwnTestsOnThat) {
  write_text(folder_ / "train.csv", "1,2,0.5\n3,4,1.5\n5,7,2.5\n2,2,1\n");
  write_text(folder_ / "test.csv", "1,2,0.25\n");
  write_text(
      folder_ / "run.toml",
      "[data]\ndataset = \"csv\"\nfile = \"train.csv\"\ntest_file = \"test.csv\"\ntask = \"regression\"\n"
      "shards = 4\n[model]\nloss = \"mse\"\n[train]\nepochs = 4\nbatch_size = 4\n");
  EXPECT_NE(train({}).find("; 1 test samples\n"), std::string::npos);
  expect_numbers({"train_loss", "test_loss"}, {"train_accuracy", "test_accuracy"});
}

TEST_P(RunKind, OfAFoldTrainsOnTheOthers) {
  EXPECT_NE(train({"data.folds=5", "data.fold=0"}).find("29 training samples in 4 shards"),
            std::string::npos);
  EXPECT_NE(train({"data.folds=5", "data.fold=4"}).find("28 training samples in 4 shards"),
            std::string::npos);
}

TEST_P(RunKind, SetsAKeyOfOneLayer) {
  write_planar_config(folder_.path(),
                      "[[model.layers]]\nunits = 9\n[[model.layers]]\ntype = \"tanh\"\n"
                      "[[model.layers]]\ntype = \"dense\"\n");
  const std::string said = train({"model.layers.0.units=5", "model.layers.1.type=relu"});
  EXPECT_NE(said.find("Dense 2 -> 5 "), std::string::npos) << said;
  EXPECT_NE(said.find("\nrelu "), std::string::npos) << said;
  EXPECT_EQ(read_json(folder_ / "out/summary.json").at("config").at("model").at("layers").at(0).at("units"),
            5);
  const std::string hash = weights_hash(folder_ / "out");  // config.toml repeats the run
  ASSERT_EQ(
      run({"train", "out/config.toml", "--quiet", "--out", "again"}, GetParam(), in(folder_.path())).code, 0);
  EXPECT_EQ(weights_hash(folder_ / "again"), hash);
}

TEST_P(RunKind, LogsANormOfEachTensorsGradientAnEpoch) {
  train({"log.gradients=true", "model.hidden=[5,4]"});
  const Table gradients = read_csv(folder_ / "out/gradients.csv");
  EXPECT_EQ(
      gradients.header,
      "epoch,layers.0.weight,layers.0.bias,layers.1.weight,layers.1.bias,layers.2.weight,layers.2.bias");
  ASSERT_EQ(gradients.rows.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(gradients.rows[i].at("epoch"), std::to_string(i + 1));
    for (std::size_t c = 1; c < gradients.columns.size(); ++c)
      EXPECT_GT(gradients.number(i, gradients.columns[c]), 0.0) << gradients.columns[c];
  }
}

// Each sigmoid's slope is at most 1/4.
TEST_P(RunKind, LogsGradientsThatVanishInADeepNetworkOfSigmoids) {
  const Words deep = {"log.gradients=true", "model.hidden=[8,8,8,8,8,8]", "train.momentum=0"};
  const auto ratio = [&](const std::string& activation) {
    Words settings = deep;
    settings.push_back("model.activation=" + activation);
    train(settings);
    const Table gradients = read_csv(folder_ / "out/gradients.csv");
    return gradients.number(0, "layers.0.weight") / gradients.number(0, "layers.6.weight");
  };
  EXPECT_LT(ratio("sigmoid"), 1e-3);
  EXPECT_GT(ratio("tanh"), 1e-1);
}

TEST(Activations, AreATableOfEachAndItsSlope) {
  const TemporaryFolder folder;
  const Outcome outcome = run({"activations"}, kOneProcess, in(folder.path()));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(run({"activations"}, 3, in(folder.path())).out, outcome.out);  // once, not once a rank
  write_text(folder / "table.csv", outcome.out);
  const Table table = read_csv(folder / "table.csv");
  ASSERT_EQ(table.rows.size(), 401U);
  for (std::size_t i = 0; i < 401; ++i) {
    const double x = table.number(i, "x"), s = 1 / (1 + std::exp(-x));
    EXPECT_NEAR(x, -4 + 0.02 * static_cast<double>(i), 1e-5);
    EXPECT_NEAR(table.number(i, "sigmoid"), s, 2e-6);
    EXPECT_NEAR(table.number(i, "sigmoid_slope"), s * (1 - s), 2e-6);
    EXPECT_NEAR(table.number(i, "tanh"), std::tanh(x), 2e-6);
    EXPECT_NEAR(table.number(i, "relu"), std::max(x, 0.0), 1e-5);
    EXPECT_EQ(table.number(i, "identity_slope"), 1.0);
  }
}

}  // namespace
}  // namespace lockstep::program
