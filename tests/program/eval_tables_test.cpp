// The tables that lockstep eval writes for pictures: the same on any number of ranks, and true to the run.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <sstream>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class EvalTables : public testing::Test {
 protected:
  EvalTables() { write_planar_config(folder_.path()); }

  void train(const Words& settings = {}) {
    Words words = {"train", "run.toml", "--quiet", "--out", "out", "--overwrite"};
    for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
    const Outcome outcome = run(words, kOneProcess, in(folder_.path()));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }

  Outcome eval(const Words& more, int ranks = kOneProcess) {
    Words words = {"eval", "out"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, ranks, in(folder_.path()));
  }

  // Writes the tables on one and on three ranks and expects the same files and words.
  void expect_the_same_from_three_ranks(const Words& flags, const Words& files) {
    std::string said;
    for (const int ranks : {1, 3}) {
      Words words = flags;
      words.insert(words.end(), {"--out", std::to_string(ranks)});
      Outcome outcome = eval(words, ranks);
      ASSERT_EQ(outcome.code, 0) << outcome.err;
      const std::string last = "tables written to " + std::to_string(ranks) + "\n";
      ASSERT_TRUE(outcome.out.ends_with(last)) << outcome.out;
      outcome.out.resize(outcome.out.size() - last.size());
      if (ranks == 1) said = outcome.out;
      EXPECT_EQ(outcome.out, said);
    }
    for (const std::string& file : files)
      EXPECT_TRUE(read_text(folder_ / ("3/" + file)) == read_text(folder_ / ("1/" + file))) << file;
    for (const auto& entry : fs::directory_iterator(folder_ / "1"))
      EXPECT_NE(std::find(files.begin(), files.end(), entry.path().filename()), files.end()) << entry.path();
  }

  std::size_t count(const Table& points, const std::string& split, const std::string& label = "") {
    return static_cast<std::size_t>(
        std::count_if(points.rows.begin(), points.rows.end(), [&](const auto& row) {
          return row.at("split") == split && (label.empty() || row.at("class") == label);
        }));
  }

  TemporaryFolder folder_;
};
using ThreeRanksEvalTables = EvalTables;

TEST_F(ThreeRanksEvalTables, AreTheSameAsOfOneRank) {
  ASSERT_NO_FATAL_FAILURE(train());
  expect_the_same_from_three_ranks({"--grid", "--confusion", "--predictions"},
                                   {"grid.csv", "points.csv", "confusion.csv", "predictions.csv"});
}

TEST_F(ThreeRanksEvalTables, OfAFunctionAreTheSameAsOfOneRank) {
  ASSERT_NO_FATAL_FAILURE(train({"data.dataset=function", "model.loss=mse"}));
  expect_the_same_from_three_ranks({"--grid", "--predictions"},
                                   {"grid.csv", "points.csv", "predictions.csv"});
}

TEST_F(ThreeRanksEvalTables, OfImagesAreTheSameAsOfOneRank) {
  write_small_config(folder_.path());
  ASSERT_NO_FATAL_FAILURE(train());
  expect_the_same_from_three_ranks({"--weights", "--confusion", "--predictions"},
                                   {"weights.ppm", "confusion.csv", "predictions.csv"});
}

// The plane's grid reaches a tenth of the points' range beyond them.
TEST_F(EvalTables, HaveTheClassesOfThePlaneAroundThePoints) {
  ASSERT_NO_FATAL_FAILURE(train());
  ASSERT_EQ(eval({"--grid"}).code, 0);
  const Table grid = read_csv(folder_ / "out/grid.csv"), points = read_csv(folder_ / "out/points.csv");
  EXPECT_EQ(grid.header, "x0,x1,predicted,p_0,p_1");
  EXPECT_EQ(points.header, "x0,x1,class,split");
  ASSERT_EQ(grid.rows.size(), 40000U);
  EXPECT_EQ(count(points, "train"), 36U);
  EXPECT_EQ(count(points, "test"), 24U);
  for (const std::string x : {"x0", "x1"}) {
    double low = INFINITY, high = -INFINITY;
    for (std::size_t i = 0; i < points.rows.size(); ++i) {
      low = std::min(low, points.number(i, x));
      high = std::max(high, points.number(i, x));
    }
    EXPECT_NEAR(grid.number(0, x), low - 0.1 * (high - low), 1e-4);
    EXPECT_NEAR(grid.number(39999, x), high + 0.1 * (high - low), 1e-4);
  }
  EXPECT_EQ(grid.rows[0].at("x1"), grid.rows[199].at("x1"));  // x0 runs fastest
  EXPECT_NE(grid.rows[199].at("x1"), grid.rows[200].at("x1"));
  std::set<std::string> classes;
  for (std::size_t i = 0; i < grid.rows.size(); ++i) {
    const double p0 = grid.number(i, "p_0"), p1 = grid.number(i, "p_1");
    ASSERT_NEAR(p0 + p1, 1.0, 2e-6) << i;
    if (std::fabs(p0 - p1) > 1e-5) {
      ASSERT_EQ(grid.rows[i].at("predicted"), p0 > p1 ? "0" : "1") << i;
    }
    classes.insert(grid.rows[i].at("predicted"));
  }
  EXPECT_EQ(classes.size(), 2U);
}

TEST_F(EvalTables, HaveTheFunctionAndWhatTheNetworkMakesOfIt) {
  ASSERT_NO_FATAL_FAILURE(train({"data.dataset=function", "model.loss=mse", "data.noise=0"}));
  const Outcome outcome = eval({"--grid"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Table grid = read_csv(folder_ / "out/grid.csv"), points = read_csv(folder_ / "out/points.csv");
  EXPECT_EQ(grid.header, "x0,output,target");
  EXPECT_EQ(points.header, "x0,target,split");
  ASSERT_EQ(grid.rows.size(), 1001U);
  double largest = 0.0;
  for (std::size_t i = 0; i < 1001; ++i) {
    EXPECT_NEAR(grid.number(i, "x0"), static_cast<double>(i) / 1000, 1e-6);
    EXPECT_NEAR(grid.number(i, "target"), std::sin(2 * M_PI * static_cast<double>(i) / 1000), 1e-6);
    largest = std::max(largest, std::fabs(grid.number(i, "output") - grid.number(i, "target")));
  }
  for (std::size_t i = 0; i < points.rows.size(); ++i)
    EXPECT_NEAR(points.number(i, "target"), std::sin(2 * M_PI * points.number(i, "x0")), 1e-5);
  // The largest error on the samples, of either set, is hardly below that on the line.
  double said = 0.0;
  for (std::size_t at = 0; (at = outcome.out.find("largest error ", at)) != std::string::npos; ++at)
    said = std::max(said, std::stod(outcome.out.substr(at + 14)));
  EXPECT_LE(said, largest + 1e-4);
  EXPECT_GE(said, 0.9 * largest);
}

TEST_F(EvalTables, OfConfusionCountTheClassesAndTheAccuracy) {
  for (const std::string fraction : {"0.4", "0"}) {  // without a test set, the training set is counted
    ASSERT_NO_FATAL_FAILURE(train({"data.test_fraction=" + fraction}));
    const Outcome outcome = eval({"--confusion", "--grid"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const Table table = read_csv(folder_ / "out/confusion.csv"),
                points = read_csv(folder_ / "out/points.csv");
    EXPECT_EQ(table.header, "actual,0,1");
    ASSERT_EQ(table.rows.size(), 2U);
    double right = 0.0, all = 0.0;
    for (std::size_t c = 0; c < 2; ++c) {
      const std::string label = std::to_string(c);
      EXPECT_EQ(table.rows[c].at("actual"), label);
      const double row = table.number(c, "0") + table.number(c, "1");
      EXPECT_EQ(row, static_cast<double>(count(points, fraction == "0" ? "train" : "test", label)));
      right += table.number(c, label);
      all += row;
    }
    const std::string counted =
        "(" + std::to_string(std::lround(right)) + " of " + std::to_string(std::lround(all)) + ")\n";
    const std::string set = fraction == "0" ? "train" : "test ";
    EXPECT_NE(outcome.out.find(counted, outcome.out.find(set)), std::string::npos) << outcome.out;
  }
}

TEST_F(EvalTables, OfPredictionsAreThoseThatAreCounted) {
  for (const bool tested : {true, false}) {  // without a test set, they are the training set's
    tested ? write_small_config(folder_.path()) : write_planar_config(folder_.path());
    ASSERT_NO_FATAL_FAILURE(train(tested ? Words{} : Words{"data.test_fraction=0"}));
    ASSERT_EQ(eval({"--confusion", "--predictions"}).code, 0);
    const Table table = read_csv(folder_ / "out/predictions.csv"),
                confusion = read_csv(folder_ / "out/confusion.csv");
    ASSERT_EQ(table.rows.size(), tested ? 150U : 60U);
    const std::size_t classes = confusion.rows.size();
    ASSERT_EQ(table.columns.size(), 3 + 2 * classes);
    std::vector<std::vector<double>> counts(classes, std::vector<double>(classes));
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      EXPECT_EQ(table.number(i, "row"), static_cast<double>(i + 1));
      const std::string predicted = table.rows[i].at("predicted");
      ++counts.at(std::stoul(table.rows[i].at("actual"))).at(std::stoul(predicted));
      double sum = 0.0;
      for (std::size_t k = 0; k < classes; ++k) {
        EXPECT_LE(table.number(i, "o" + std::to_string(k)), table.number(i, "o" + predicted));
        sum += table.number(i, "p_" + std::to_string(k));
      }
      EXPECT_NEAR(sum, 1.0, 1e-5);
    }
    for (std::size_t a = 0; a < classes; ++a)
      for (std::size_t b = 0; b < classes; ++b)
        EXPECT_EQ(counts[a][b], confusion.number(a, confusion.columns[b + 1]));
  }
}

// Twelve rows of three classes, a column of categories and one that is not used; some cells are missing.
class EvalPredictions : public EvalTables {
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

// Units in rows of tiles, 32 pixels square, with a line between them.
TEST_F(EvalTables, OfWeightsAreAnImageOfATileAUnit) {
  write_small_config(folder_.path());
  ASSERT_NO_FATAL_FAILURE(train());
  ASSERT_EQ(eval({"--weights"}).code, 0);
  const std::string image = read_text(folder_ / "out/weights.ppm"), header = "P6\n98 98\n255\n";
  ASSERT_TRUE(image.starts_with(header)) << image.substr(0, 20);
  ASSERT_EQ(image.size(), header.size() + 3 * 98 * 98);  // 8 units: 3 x 3 tiles
  const auto pixel = [&](std::size_t x, std::size_t y) {
    return image.substr(header.size() + 3 * (98 * y + x), 3);
  };
  for (std::size_t i = 0; i < 98; ++i) {
    EXPECT_EQ(pixel(32, i), "\xff\xff\xff");
    EXPECT_EQ(pixel(i, 65), "\xff\xff\xff");
  }
  EXPECT_EQ(pixel(90, 90), "\xff\xff\xff");  // there is no ninth unit
  std::set<char> levels(image.begin() + static_cast<std::ptrdiff_t>(header.size()), image.end());
  EXPECT_GT(levels.size(), 100U);
}

TEST_F(EvalTables, GoWhereTheyAreTold) {
  ASSERT_NO_FATAL_FAILURE(train());
  ASSERT_EQ(eval({"--grid", "--confusion", "--out", "far/away"}).code, 0);
  for (const std::string file : {"grid.csv", "points.csv", "confusion.csv"}) {
    EXPECT_TRUE(fs::exists(folder_ / ("far/away/" + file))) << file;
    EXPECT_FALSE(fs::exists(folder_ / ("out/" + file))) << file;
  }
}

TEST_F(EvalTables, OfAnEarlierRunDoNotSurviveTheNext) {
  write_small_config(folder_.path());
  ASSERT_NO_FATAL_FAILURE(train({"log.gradients=true", "log.steps=true"}));
  ASSERT_EQ(eval({"--weights", "--confusion", "--predictions"}).code, 0);
  write_planar_config(folder_.path());
  ASSERT_NO_FATAL_FAILURE(train());
  for (const std::string file :
       {"weights.ppm", "confusion.csv", "predictions.csv", "gradients.csv", "steps.csv"})
    EXPECT_FALSE(fs::exists(folder_ / ("out/" + file))) << file;
  ASSERT_EQ(eval({"--grid"}).code, 0);
  ASSERT_NO_FATAL_FAILURE(train());
  for (const std::string file : {"grid.csv", "points.csv"})
    EXPECT_FALSE(fs::exists(folder_ / ("out/" + file))) << file;
}

TEST_F(ThreeRanksEvalTables, ThatDoNotApplyAreRefused) {
  const auto expect_refusal = [&](const std::string& flag, const std::string& message, const Words& files) {
    for (const int ranks : {kOneProcess, 3}) {
      const Outcome outcome = eval({flag}, ranks);
      EXPECT_EQ(outcome.code, 2);
      EXPECT_EQ(outcome.err, "lockstep: " + flag + ": " + message + "\n");
      for (const std::string& file : files) EXPECT_FALSE(fs::exists(folder_ / ("out/" + file))) << file;
    }
  };
  const std::string no_image = ", expected those of square images with 1 or 3 channels";
  const std::string no_grid = ", expected 2 inputs and classes, or 1 input and a value";
  ASSERT_NO_FATAL_FAILURE(train());
  expect_refusal("--weights", "the first layer's weights are 5 x 2" + no_image, {"weights.ppm"});
  ASSERT_NO_FATAL_FAILURE(train({"data.dataset=function", "model.loss=mse"}));
  expect_refusal("--confusion", "the targets are values, expected a data set of classes", {"confusion.csv"});
  write_small_config(folder_.path());
  ASSERT_NO_FATAL_FAILURE(train());
  expect_refusal("--grid", "the network has 3072 inputs and classes" + no_grid, {"grid.csv", "points.csv"});
}

TEST_F(EvalTables, ThatCannotBeWrittenEndItBeforeItScores) {
  train();
  for (const int ranks : {kOneProcess, 3})
    for (const std::string out : {"run.toml", "run.toml/tables"}) {
      const Outcome outcome = eval({"--confusion", "--out", out}, ranks);
      EXPECT_EQ(outcome.code, 2);
      EXPECT_EQ(outcome.out, "");
      EXPECT_EQ(outcome.err, "lockstep: " + out + ": cannot be written: Not a directory\n");
    }
}

}  // namespace
}  // namespace lockstep::program
