// The tables that lockstep eval writes for pictures: the same on any number of ranks, and true to the run.
#include "eval_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class EvalTables : public EvalTest {
 protected:
  static std::size_t count(const Table& points, const std::string& split, const std::string& label = "") {
    return static_cast<std::size_t>(
        std::count_if(points.rows.begin(), points.rows.end(), [&](const auto& row) {
          return row.at("split") == split && (label.empty() || row.at("class") == label);
        }));
  }
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
