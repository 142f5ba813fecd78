// The files of a run folder: their columns, their digits, and what happens where they cannot be written.
#include "report/run_files.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "file_size_limit.h"
#include "report/layers_file.h"
#include "report/summary.h"
#include "support.h"

namespace lockstep::report {
namespace {

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(line);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

// A CSV file as rows of column -> text.
std::vector<std::map<std::string, std::string>> read_csv(const std::filesystem::path& path) {
  const auto lines = split(read_file(path), '\n');
  const auto columns = split(lines.at(0), ',');
  std::vector<std::map<std::string, std::string>> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto cells = split(lines[i], ',');
    EXPECT_EQ(cells.size(), columns.size()) << lines[i];
    auto& row = rows.emplace_back();
    for (std::size_t c = 0; c < columns.size(); ++c) row[columns[c]] = cells.at(c);
  }
  return rows;
}

std::size_t digits(const std::string& number) {
  const std::string mantissa = number.substr(0, number.find('e'));
  const auto first = mantissa.find_first_of("123456789");
  std::size_t count = 0;
  for (std::size_t i = first; i < mantissa.size(); ++i) count += mantissa[i] != '.';
  return count;
}

EpochRow example(std::size_t epoch) {
  EpochRow row;
  row.epoch = epoch;
  row.train_loss = 1.0 / 3.0;
  row.train_accuracy = 0.123456;
  row.test_loss = 2.0;
  row.test_accuracy = 1.0;
  row.learning_rate = 0.05;
  row.seconds = 1.25;
  row.samples_per_second = 40000.0;
  return row;
}

class RunFilesTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder_;
};

TEST_F(RunFilesTest, MetricsBeginWithTheColumnsThatScriptsKnow) {
  const auto path = folder_.path() / "metrics.csv";
  MetricsFile metrics(path);
  const std::string header = split(read_file(path), '\n').at(0);
  EXPECT_TRUE((header + ",")
                  .starts_with("epoch,train_loss,train_accuracy,test_loss,test_accuracy,learning_rate,"
                               "seconds,samples_per_second,"))
      << header;
}

TEST_F(RunFilesTest, MetricsHaveARowAnEpochThatCanBeReadAtOnce) {
  const auto path = folder_.path() / "metrics.csv";
  MetricsFile metrics(path);
  for (std::size_t epoch = 1; epoch <= 3; ++epoch) {
    metrics.write(example(epoch));
    const auto rows = read_csv(path);
    ASSERT_EQ(rows.size(), epoch);
    EXPECT_EQ(rows.back().at("epoch"), std::to_string(epoch));
  }
  const auto row = read_csv(path).at(0);
  EXPECT_NEAR(std::stod(row.at("train_loss")), 1.0 / 3.0, 1e-9);
  EXPECT_NEAR(std::stod(row.at("train_accuracy")), 0.123456, 1e-9);
  EXPECT_EQ(std::stod(row.at("test_loss")), 2.0);
  EXPECT_EQ(std::stod(row.at("test_accuracy")), 1.0);
  EXPECT_EQ(std::stod(row.at("learning_rate")), 0.05);
  EXPECT_EQ(std::stod(row.at("seconds")), 1.25);
  EXPECT_EQ(std::stod(row.at("samples_per_second")), 40000.0);
}

TEST_F(RunFilesTest, AnEpochOfMicrosecondsHasATime) {
  MetricsFile metrics(folder_.path() / "metrics.csv");
  EpochRow row = example(1);
  row.seconds = 42e-6;
  row.compute_seconds = 31e-6;
  row.wait_seconds = 7e-6;
  row.transfer_seconds = 4e-6;
  metrics.write(row);
  const auto read = read_csv(folder_.path() / "metrics.csv").at(0);
  EXPECT_EQ(std::stod(read.at("seconds")), 42e-6);
  EXPECT_EQ(std::stod(read.at("compute_seconds")), 31e-6);
  EXPECT_EQ(std::stod(read.at("wait_seconds")), 7e-6);
  EXPECT_EQ(std::stod(read.at("transfer_seconds")), 4e-6);
}

TEST_F(RunFilesTest, LossesHaveAtLeastNineDigits) {
  const auto path = folder_.path() / "metrics.csv";
  MetricsFile metrics(path);
  for (const double loss : {2.0, 1.0 / 3.0, 1e-7, 12345.0, 0.5}) {
    EpochRow row = example(1);
    row.train_loss = row.test_loss = loss;
    metrics.write(row);
    const auto written = read_csv(path).back();
    for (const char* column : {"train_loss", "test_loss"}) {
      EXPECT_GE(digits(written.at(column)), 9U) << written.at(column);
      EXPECT_NEAR(std::stod(written.at(column)), loss, 1e-9 * loss);
    }
  }
}

TEST_F(RunFilesTest, StepsHaveTheColumnsThatScriptsKnow) {
  const auto path = folder_.path() / "steps.csv";
  StepsFile steps(path);
  steps.write({.step = 17, .epoch = 2, .samples = 96, .loss = 1.0 / 7.0, .weights_hash = "0123456789abcdef"});
  steps.write({.step = 18, .epoch = 2, .samples = 5, .loss = 3.0, .weights_hash = "fedcba9876543210"});
  steps.flush();
  EXPECT_EQ(split(read_file(path), '\n').at(0), "step,epoch,samples,loss,weights_hash");
  const auto rows = read_csv(path);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].at("step"), "17");
  EXPECT_EQ(rows[0].at("epoch"), "2");
  EXPECT_EQ(rows[0].at("samples"), "96");
  EXPECT_NEAR(std::stod(rows[0].at("loss")), 1.0 / 7.0, 1e-10);
  EXPECT_EQ(rows[1].at("weights_hash"), "fedcba9876543210");
}

TEST_F(RunFilesTest, GradientsHaveARowAnEpochAndAColumnATensor) {
  const auto path = folder_.path() / "gradients.csv";
  GradientsFile gradients(path, {"layers.0.weight", "layers.0.bias"});
  EXPECT_EQ(read_file(path), "epoch,layers.0.weight,layers.0.bias\n");
  gradients.write(0, std::vector<double>{1.0 / 3.0, 0.0});
  ASSERT_EQ(read_csv(path).size(), 1U);  // can be read at once
  gradients.write(12, std::vector<double>{1e-12, 2.5e7});
  const auto rows = read_csv(path);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].at("epoch"), "0");
  EXPECT_NEAR(std::stod(rows[0].at("layers.0.weight")), 1.0 / 3.0, 1e-9);
  EXPECT_EQ(std::stod(rows[0].at("layers.0.bias")), 0.0);
  EXPECT_EQ(rows[1].at("epoch"), "12");
  EXPECT_EQ(std::stod(rows[1].at("layers.0.weight")), 1e-12);
  EXPECT_EQ(std::stod(rows[1].at("layers.0.bias")), 2.5e7);
}

TEST_F(RunFilesTest, LayersHaveARowAnEpochEach) {
  const auto path = folder_.path() / "layers.csv";
  {
    LayersFile layers(path);
    LayerRow row{.layer = 2, .description = "Conv 3x4x4 -> 2x4x4, 3x3", .outputs = {}, .gradients = {}};
    row.outputs.mean = 0.5;
    row.outputs.quantiles[4] = 2.0;
    row.dead = 0.25;
    row.update = 1e-3;
    layers.write(
        1, std::vector<LayerRow>{{.layer = 1, .description = "relu", .outputs = {}, .gradients = {}}, row});
    layers.write(2, std::vector<LayerRow>{row});
  }
  const auto lines = split(read_file(path), '\n');
  EXPECT_EQ(lines.at(0),
            "epoch,layer,description,output_mean,output_std,output_p05,output_p25,output_p50,output_p75,"
            "output_p95,dead,gradient_mean,gradient_std,gradient_p05,gradient_p25,gradient_p50,gradient_p75,"
            "gradient_p95,update");
  EXPECT_EQ(lines.at(1), "1,1,relu,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan");
  EXPECT_EQ(
      lines.at(2),
      "1,2,\"Conv 3x4x4 -> 2x4x4, 3x3\",0.5,nan,nan,nan,nan,nan,2,0.25,nan,nan,nan,nan,nan,nan,nan,0.001");
  LayersFile kept(path, 1);
  EXPECT_EQ(split(read_file(path), '\n').at(2), lines.at(2));
  EXPECT_EQ(read_file(path).find("\n2,"), std::string::npos);
}

TEST_F(RunFilesTest, ANewRunReplacesTheOldFiles) {
  const auto path = folder_.path() / "metrics.csv";
  MetricsFile(path).write(example(1));
  MetricsFile(path).write(example(9));
  const auto rows = read_csv(path);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("epoch"), "9");
}

TEST_F(RunFilesTest, AFileThatCannotBeWrittenIsAnErrorThatNamesIt) {
  const auto missing = folder_.path() / "missing" / "file.csv";
  test::expect_line_with(test::message_of<ConfigError>([&] { MetricsFile file(missing); }),
                         {missing.string()});
  test::expect_line_with(test::message_of<ConfigError>([&] { StepsFile file(missing); }), {missing.string()});
  test::expect_line_with(test::message_of<ConfigError>([&] { GradientsFile file(missing, {"w"}); }),
                         {missing.string()});
  test::expect_line_with(test::message_of<ConfigError>([&] { MetricsFile file("/dev/full"); }),
                         {"/dev/full", "No space left on device"});
  test::expect_line_with(test::message_of<ConfigError>([&] { GradientsFile file("/dev/full", {"w"}); }),
                         {"/dev/full", "No space left on device"});
}

// Also of the second failure in a row, and of many rows that no buffer holds.
TEST_F(RunFilesTest, AFullDiskIsNamedByTheSystemsReasonEveryTimeAndLosesNoRow) {
  const auto path = folder_.path() / "steps.csv";
  StepsFile steps(path);
  {
    const test::FileSizeLimit limit(1000);
    for (std::size_t step = 1; step <= 1000; ++step) {
      steps.write({.step = step, .epoch = 1, .samples = 8, .loss = 0.5, .weights_hash = "0123456789abcdef"});
      if (step % 500 == 0)
        test::expect_line_with(test::message_of<ConfigError>([&] { steps.flush(); }),
                               {path.string(), "cannot be written: File too large"});
    }
  }
  steps.flush();
  const auto rows = read_csv(path);
  ASSERT_EQ(rows.size(), 1000U);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].at("step"), std::to_string(i + 1));
}

TEST_F(RunFilesTest, TheSummaryIsJsonWithTheRunsLastNumbers) {
  const auto path = folder_.path() / "summary.json";
  Summary summary;
  summary.epochs = 3;
  summary.metrics = example(2);  // the best one's
  summary.weights_of_best = true;
  summary.best_epoch = 2;
  summary.steps = 120;
  summary.train_samples = 50000;
  summary.parameters = 308310;
  summary.weights_hash = "0123456789abcdef";
  summary.ranks = 4;
  summary.threads = 2;
  summary.placement = {"a: 0-1", "a: 2-3", "b: 0-1", "b: 2-3"};
  summary.shards = {3, 1, 2, 2};
  summary.config = {{"seed", 7}, {"train", {{"epochs", 3}}}};
  summary.provenance = {{"version", "1.2.3"}};
  write_summary(path, summary);
  const auto json = nlohmann::json::parse(read_file(path));
  EXPECT_EQ(json.at("epochs"), 3);
  EXPECT_EQ(json.at("weights_of"), "best");
  EXPECT_EQ(json.at("best_epoch"), 2);
  EXPECT_FALSE(json.contains("began_from"));
  EXPECT_EQ(json.at("steps"), 120);
  EXPECT_EQ(json.at("train_samples"), 50000);
  EXPECT_EQ(json.at("train_loss").get<double>(), 1.0 / 3.0);
  EXPECT_EQ(json.at("test_accuracy").get<double>(), 1.0);
  EXPECT_EQ(json.at("weights_hash"), "0123456789abcdef");
  EXPECT_EQ(json.at("ranks"), 4);
  EXPECT_EQ(json.at("threads"), 2);
  EXPECT_EQ(json.at("placement"), nlohmann::json(summary.placement));
  EXPECT_EQ(json.at("shards"), nlohmann::json(summary.shards));
  EXPECT_EQ(json.at("config").at("train").at("epochs"), 3);
  EXPECT_EQ(json.at("provenance").at("version"), "1.2.3");
}

}  // namespace
}  // namespace lockstep::report
