// The tables that lockstep eval writes: networks on a grid, samples, confusion.
#include "run/tables.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "run/small_set.h"
#include "support.h"

namespace lockstep::run {
namespace {

using kernels::Loss;
using test::Affine;
using test::SmallSet;
using test::split;

// Features on [-4, 6] and [0, 20], of which the test samples have the ends.
SmallSet plane_set(std::size_t classes = 2) {
  return {2, classes, {{1, 10, 0}, {4, 12, 1}, {-2, 2, 0}}, {{-4, 0, 1}, {6, 20, 0}}};
}

struct GridRow {
  double x0, x1, label;
  std::vector<double> probabilities;
};
std::vector<GridRow> plane_rows(const SmallSet& set, const Affine& affine, const std::string& header,
                                int threads = 1) {
  const auto lines = split(grid_table(set, affine.network(), threads), '\n');
  EXPECT_EQ(lines.at(0), header);
  std::vector<GridRow> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::vector<double> cells;
    for (const std::string& cell : split(lines[i], ',')) cells.push_back(std::stod(cell));
    rows.push_back({cells.at(0), cells.at(1), cells.at(2), {cells.begin() + 3, cells.end()}});
  }
  return rows;
}

TEST(GridTable, CoversTheSamplesAndATenthMoreOnEachSideX0Fastest) {
  const SmallSet set = plane_set();
  const auto rows =
      plane_rows(set, {set, 2, Loss::kCrossEntropy, {0, 0, 1, 0, 0, 0}}, "x0,x1,predicted,p_0,p_1");
  ASSERT_EQ(rows.size(), 200U * 200U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_NEAR(rows[i].x0, -5.0 + 12.0 * static_cast<double>(i % 200) / 199.0, 1e-5);
    EXPECT_NEAR(rows[i].x1, -2.0 + 24.0 * static_cast<double>(i / 200) / 199.0, 1e-4);
  }
}

// Logits 0 and x0 - 1.
TEST(GridTable, HasTheSoftmaxOfTheOutputsAndTheClassOfTheLargest) {
  const SmallSet set = plane_set();
  const auto rows =
      plane_rows(set, {set, 2, Loss::kCrossEntropy, {0, 0, 1, 0, 0, -1}}, "x0,x1,predicted,p_0,p_1");
  for (const GridRow& row : rows) {
    const double p1 = 1.0 / (1.0 + std::exp(1.0 - row.x0));
    EXPECT_EQ(row.label, row.x0 > 1.0 ? 1.0 : 0.0);
    ASSERT_EQ(row.probabilities.size(), 2U);
    EXPECT_NEAR(row.probabilities[0], 1.0 - p1, 2e-6);
    EXPECT_NEAR(row.probabilities[1], p1, 2e-6);
  }
}

TEST(GridTable, HasBothProbabilitiesOfASingleLogit) {
  const SmallSet set = plane_set();
  for (const GridRow& row :
       plane_rows(set, {set, 1, Loss::kBinaryCrossEntropy, {0, 0.5, -4}}, "x0,x1,predicted,p_0,p_1")) {
    const double p1 = 1.0 / (1.0 + std::exp(4.0 - 0.5 * row.x1));
    EXPECT_EQ(row.label, row.x1 > 8.0 ? 1.0 : 0.0);
    EXPECT_NEAR(row.probabilities.at(0), 1.0 - p1, 1e-5);
    EXPECT_NEAR(row.probabilities.at(1), p1, 1e-5);
  }
}

TEST(GridTable, HasAColumnForEveryClass) {
  const SmallSet set = plane_set(3);
  const Affine affine(set, 3, Loss::kCrossEntropy, {1, 0, 0, 1, 0, 0, 0, 0, 2});
  for (const GridRow& row : plane_rows(set, affine, "x0,x1,predicted,p_0,p_1,p_2")) {
    EXPECT_NEAR(row.probabilities.at(0) + row.probabilities.at(1) + row.probabilities.at(2), 1.0, 3e-6);
    EXPECT_EQ(row.label, row.x0 >= std::max(row.x1, 2.0) ? 0.0 : row.x1 >= 2.0 ? 1.0 : 2.0);
  }
}

// The largest magnitude of x0 in the training samples is 4, so the logit is x0 / 4 - 1/2.
TEST(GridTable, MakesInputsAsTrainingDoes) {
  const SmallSet set = plane_set();
  const Affine affine(set, 1, Loss::kBinaryCrossEntropy, {1, 0, -0.5}, data::Normalization::kScale);
  for (const GridRow& row : plane_rows(set, affine, "x0,x1,predicted,p_0,p_1"))
    EXPECT_EQ(row.label, row.x0 > 2.0 ? 1.0 : 0.0) << row.x0;
  EXPECT_EQ(grid_table(set, affine.network(), 1), grid_table(set, affine.network(), 3));
}

TEST(GridTable, FollowsAFunctionFromItsSmallestSampleToItsLargest) {
  SmallSet set(1, 0, {{0.25, 1}, {0.5, 2}}, {{0, 0}, {1, 0}});
  const Affine affine(set, 1, Loss::kMse, {2, 1});
  auto lines = split(grid_table(set, affine.network(), 1), '\n');
  ASSERT_EQ(lines.size(), 1002U);
  EXPECT_EQ(lines[0], "x0,output");
  EXPECT_EQ(lines[1], "0,1");
  EXPECT_EQ(lines[501], "0.5,2");
  EXPECT_EQ(lines[1001], "1,3");

  set.details.function = data::Function::kSine;
  lines = split(grid_table(set, affine.network(), 1), '\n');
  ASSERT_EQ(lines.size(), 1002U);
  EXPECT_EQ(lines[0], "x0,output,target");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto cells = split(lines[i], ',');
    ASSERT_EQ(cells.size(), 3U);
    const double x = static_cast<double>(i - 1) / 1000.0;
    EXPECT_NEAR(std::stod(cells[0]), x, 1e-6);
    EXPECT_NEAR(std::stod(cells[1]), 2.0 * x + 1.0, 1e-6);
    EXPECT_NEAR(std::stod(cells[2]), std::sin(2.0 * std::numbers::pi * x), 1e-6);
  }
}

TEST(GridTable, RefusesOtherNetworks) {
  const auto refuse = [](SmallSet set, std::initializer_list<std::string> parts) {
    const Affine affine(set, 2, Loss::kCrossEntropy, std::vector<float>(2 * set.info().features() + 2));
    test::expect_line_with(test::message_of<ConfigError>([&] { grid_table(set, affine.network(), 1); }),
                           parts);
  };
  refuse({3, 2, {{0, 0, 0, 1}}, {}}, {"--grid", "3 inputs and classes", "expected 2 inputs and classes"});
  refuse({2, 0, {{0, 0, 1}}, {}}, {"--grid", "2 inputs and a value", "1 input and a value"});
  refuse({1, 2, {{0, 1}}, {}}, {"--grid", "1 input and classes"});
  SmallSet pixels = plane_set();
  pixels.details.pixels = true;
  const Affine affine(plane_set(), 1, Loss::kMse, {0, 0, 0});
  EXPECT_THROW(grid_table(pixels, affine.network(), 1), ConfigError);
}

TEST(PointsTable, HasAllSamplesAndTheirSplit) {
  EXPECT_EQ(points_table(plane_set()),
            "x0,x1,class,split\n1,10,0,train\n4,12,1,train\n-2,2,0,train\n-4,0,1,test\n6,20,0,test\n");
  EXPECT_EQ(points_table(SmallSet(1, 0, {{0.25, 1.5}}, {{1e-7F, -3}})),
            "x0,target,split\n0.25,1.5,train\n1e-07,-3,test\n");
}

TEST(ConfusionTable, HasARowForEachTrueClassAndAColumnForEachPredictedOne) {
  const SmallSet set = plane_set(3);
  const std::vector<std::int64_t> counts = {5, 1, 0, 2, 6, 3, 0, 0, 7};
  EXPECT_EQ(confusion_table(set.info(), counts), "actual,0,1,2\n0,5,1,0\n1,2,6,3\n2,0,0,7\n");
}

TEST(ConfusionTable, QuotesNamesThatNeedIt) {
  SmallSet set = plane_set();
  set.details.class_names = {"big, \"blue\" cat", "dog"};
  const std::vector<std::int64_t> counts = {1, 2, 3, 4};
  EXPECT_EQ(confusion_table(set.info(), counts),
            "actual,\"big, \"\"blue\"\" cat\",dog\n\"big, \"\"blue\"\" cat\",1,2\ndog,3,4\n");
}

TEST(PredictionRows, HaveTheRowTheClassesByNameTheirProbabilitiesAndTheOutputs) {
  SmallSet set(1, 2, {{0, 0}}, {{1, 0}, {2, 1}, {0.5F, 1}});
  set.details.class_names = {"cat", "big, old"};
  const Affine affine(set, 2, Loss::kCrossEntropy, {1, -1, 0, 1});  // o0 = x, o1 = 1 - x
  EXPECT_EQ(prediction_header(set.info(), affine.model, true),
            "row,actual,predicted,p_cat,\"p_big, old\",o0,o1\n");
  EXPECT_EQ(prediction_header(set.info(), affine.model, false), "row,predicted,p_cat,\"p_big, old\",o0,o1\n");
  const std::string rows =
      "1,cat,cat,0.731059,0.268941,1,0\n"
      "2,\"big, old\",cat,0.952574,0.0474259,2,-1\n"
      "3,\"big, old\",cat,0.5,0.5,0.5,0.5\n";
  std::string parts;
  for (int rank = 0; rank < 5; ++rank) {  // more than there are samples
    train::Evaluator part(set, data::Split::kTest, rank, 5);
    std::vector<std::uint32_t> file_rows;
    for (std::size_t i = 0; i < part.samples().size(); ++i)
      file_rows.push_back(static_cast<std::uint32_t>(part.first_sample() + i + 1));
    parts += prediction_rows(set.info(), {file_rows, true}, part, affine.network(), 1);
  }
  EXPECT_EQ(parts, rows);
  train::Evaluator all(set, data::Split::kTest, 0, 1);
  EXPECT_EQ(prediction_rows(set.info(), {{1, 2, 3}, true}, all, affine.network(), 2), rows);
  EXPECT_TRUE(prediction_rows(set.info(), {{7, 9, 12}, false}, all, affine.network(), 1)
                  .starts_with("7,cat,0.731059,0.268941,1,0\n9,cat,"));
}

TEST(PredictionRows, OfASingleOutputHaveTheValueOrTheClass) {
  SmallSet values(1, 0, {{0.5F, 1.25F}}, {});
  const SmallSet classes(1, 2, {{0.5F, 1}}, {});
  const Affine fit(values, 1, Loss::kMse, {2, -3}), logit(classes, 1, Loss::kBinaryCrossEntropy, {2, -3});
  EXPECT_EQ(prediction_header(values.info(), fit.model, true), "row,actual,predicted\n");
  train::Evaluator of_values(values, data::Split::kTrain, 0, 1),
      of_classes(classes, data::Split::kTrain, 0, 1);
  EXPECT_EQ(prediction_rows(values.info(), {{1}, true}, of_values, fit.network(), 1), "1,1.25,-2\n");
  EXPECT_EQ(prediction_rows(classes.info(), {{1}, true}, of_classes, logit.network(), 1),
            "1,1,0,0.880797,0.119203,-2\n");

  // In the units of the file: -2 deviations of 10 from a mean of 50.3.
  values.details.target_mean = 50.3;
  values.details.target_stddev = 10.0;
  EXPECT_EQ(prediction_rows(values.info(), {{1}, true}, of_values, fit.network(), 1), "1,62.8,30.3\n");
  values.details.target_mean = 1.7e9;  // of which deviations keep their digits
  EXPECT_EQ(prediction_rows(values.info(), {{1}, true}, of_values, fit.network(), 1),
            "1,1700000012.5,1699999980\n");
}

TEST(Tables, CallClassesAsTheDataSetDoes) {
  SmallSet set = plane_set();
  set.details.class_names = {"no", "yes"};
  EXPECT_EQ(points_table(set),
            "x0,x1,class,split\n1,10,no,train\n4,12,yes,train\n-2,2,no,train\n-4,0,yes,test\n6,20,no,test\n");
  const Affine affine(set, 1, Loss::kBinaryCrossEntropy, {0, 0, 1});
  const auto lines = split(grid_table(set, affine.network(), 1), '\n');
  EXPECT_EQ(lines.at(0), "x0,x1,predicted,p_no,p_yes");
  EXPECT_TRUE(lines.at(1).ends_with(",yes,0.268941,0.731059")) << lines.at(1);
}

TEST(Tables, HaveValuesInTheUnitsOfTheFile) {
  SmallSet set(1, 0, {{0.25, 1}, {0.5, 2}}, {});
  set.details.target_mean = 10.0;
  set.details.target_stddev = 4.0;
  EXPECT_EQ(points_table(set), "x0,target,split\n0.25,14,train\n0.5,18,train\n");
  const Affine affine(set, 1, Loss::kMse, {2, 1});
  EXPECT_EQ(split(grid_table(set, affine.network(), 1), '\n').at(1), "0.25,16");
}

TEST(ClassLine, TellsHowManyOfAClassAreFound) {
  SmallSet set = plane_set();
  const std::vector<std::int64_t> counts = {1, 2, 0, 0};
  EXPECT_EQ(split(class_line(set.info(), counts, 0), ' ').front(), "0");
  set.details.class_names = {"cat", "dog"};
  const std::string line = class_line(set.info(), counts, 0);
  EXPECT_TRUE(line.starts_with("cat ")) << line;
  EXPECT_TRUE(line.ends_with(" 33.33% of 3")) << line;
  EXPECT_TRUE(class_line(set.info(), counts, 1).ends_with("no samples"));
}

}  // namespace
}  // namespace lockstep::run
