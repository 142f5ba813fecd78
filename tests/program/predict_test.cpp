// lockstep predict: tables of more ranks than there are, from measurements that a file keeps.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

struct Predict : testing::TestWithParam<int> {
  Predict() { write_small_config(folder_.path()); }
  Outcome predict(Words more) const {
    Words words = {"predict", "run.toml"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, GetParam(), in(folder_.path()));
  }
  int ranks() const { return GetParam() == kOneProcess ? 1 : GetParam(); }

  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, Predict, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Predict, testing::Values(3));

TEST_P(Predict, WritesARowForEveryNetworkAndLayout) {
  const Outcome outcome = predict({"--network", "1gbit,40:2", "--at", "1x1,2x1,64x1", "--cores-per-host", "2",
                                   "--csv", "table.csv", "--set", "compute.threads=1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::istringstream table(read_text(folder_ / "table.csv"));
  std::string line;
  std::getline(table, line);
  EXPECT_TRUE(line.starts_with("network,cores,hosts,ranks,threads,shards,batch_size,")) << line;
  Words rows;
  while (std::getline(table, line)) rows.push_back(line);
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_TRUE(rows[0].starts_with("1gbit,1,1,1,1,")) << rows[0];
  EXPECT_TRUE(rows[2].starts_with("1gbit,64,32,64,1,64,")) << rows[2];
  EXPECT_TRUE(rows[5].starts_with("40:2,64,32,64,1,64,")) << rows[5];
  EXPECT_TRUE(rows[0].ends_with(",1,1.00000")) << rows[0];  // the speed-up of one over one
  EXPECT_NE(outcome.out.find("over 40:2"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("64*"), std::string::npos) << outcome.out;
}

TEST_P(Predict, ACalibrationGathersLayoutsAndIsEnough) {
  ASSERT_EQ(predict({"--calibration", "measured.json", "--set", "compute.threads=1", "--at", "1x1"}).code, 0);
  ASSERT_EQ(predict({"--calibration", "measured.json", "--set", "compute.threads=2", "--at", "1x1,1x2"}).code,
            0);
  const json file = read_json(folder_ / "measured.json");
  EXPECT_EQ(file.at("layouts").size(), ranks() == 1 ? 2U : 4U);
  EXPECT_EQ(file.contains("within_host"), ranks() > 1);
  const std::string before = read_text(folder_ / "measured.json");
  const Outcome again = predict({"--calibration", "measured.json", "--no-measure", "--most", "8"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_text(folder_ / "measured.json"), before);
  EXPECT_EQ(predict({"--calibration", "measured.json", "--no-measure", "--most", "8"}).out, again.out);
}

// Six points, none of them for testing, in batches of four.
TEST_P(Predict, TakesDataWithoutATestSet) {
  write_text(folder_ / "points.csv", "1,2,a\n2,1,b\n1,3,a\n3,1,b\n1,4,a\n4,1,b\n");
  write_text(folder_ / "run.toml",
             "[data]\ndataset = 'csv'\nfile = 'points.csv'\nshards = 4\n[train]\nbatch_size = 4\n");
  const Outcome outcome = predict({"--most", "16", "--set", "compute.threads=1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.find("\n    8 "), std::string::npos) << "more ranks than the batch has samples";
}

TEST_P(Predict, RefusesWhatItCannotUse) {
  write_text(folder_ / "empty.json", "{}");
  ASSERT_EQ(predict({"--calibration", "measured.json", "--set", "compute.threads=1", "--at", "1x1"}).code, 0);
  const struct {
    Words arguments, expected;
  } mistakes[] = {
      {{"--network", "fast"}, {"the network is \"fast\"", "25gbit", "GBIT:MICROSECONDS"}},
      {{"--at", "4"}, {"--at is 4", "RANKSxTHREADS"}},
      {{"--at", "4x7", "--set", "compute.threads=1"}, {"--at is 4x7", "threads that was measured: 1"}},
      {{"--at", "4096x1", "--set", "compute.threads=1"}, {"--at is 4096x1", "train.batch_size"}},
      {{"--most", "1", "--set", "compute.threads=2"}, {"nothing to predict", "2 threads", "--most"}},
      {{"--no-measure", "--calibration", "measured.json", "--set", "reduce.mode=float"},
       {"measured.json", "exact reduction", "expected"}},
      {{"--no-measure"}, {"--no-measure", "--calibration"}},
      {{"--no-measure", "--calibration", "none.json"}, {"none.json", "cannot be read"}},
      {{"--no-measure", "--calibration", "empty.json"}, {"empty.json", "expected what lockstep predict"}},
      {{"--no-measure", "--calibration", "measured.json", "--set", "model.hidden=[3]"},
       {"measured.json", "another network"}},
  };
  for (const auto& [arguments, expected] : mistakes) {
    const Outcome outcome = predict(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    for (const std::string& text : expected)
      EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

}  // namespace
}  // namespace lockstep::program
