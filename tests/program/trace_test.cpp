// Where the time goes: --trace, the split in metrics.csv, sums that overlap with backward, and doctor.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

struct Trace : testing::TestWithParam<int> {
  Trace() { write_small_config(folder_.path()); }
  Outcome train(Words more) const {
    Words words = {"train", "run.toml", "--quiet", "--overwrite"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, GetParam(), in(folder_.path()));
  }
  int ranks() const { return GetParam() == kOneProcess ? 1 : GetParam(); }

  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, Trace, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Trace, testing::Values(3));

TEST_P(Trace, HasEveryRanksStepsOnOneClock) {
  const Outcome outcome = train({"--out", "out", "--trace", "trace.json", "--set", "reduce.overlap=always"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json events = read_json(folder_ / "trace.json").at("traceEvents");
  std::map<int, std::set<std::string>> activities;
  std::map<int, std::set<int>> steps;
  std::map<int, double> first_update;
  for (const json& event : events) {
    const int rank = event.at("pid");
    if (event.at("ph") == "X") {
      activities[rank].insert(event.at("name").get<std::string>());
      EXPECT_GE(event.at("ts").get<double>(), 0.0);
      if (event.at("name") == "update") {
        steps[rank].insert(event.at("args").at("step").get<int>());
        first_update.try_emplace(rank, event.at("ts").get<double>());
      }
    } else if (event.at("ph") == "b") {
      activities[rank].insert("bucket");
    }
  }
  ASSERT_EQ(activities.size(), static_cast<std::size_t>(ranks()));
  for (int rank = 0; rank < ranks(); ++rank) {
    for (const char* name : {"gather", "forward", "backward", "wait", "transfer", "update", "evaluation"})
      EXPECT_TRUE(activities[rank].contains(name)) << name << " of rank " << rank;
    EXPECT_EQ(activities[rank].contains("bucket"), ranks() > 1);
    EXPECT_EQ(steps[rank], steps[0]);
    // All wait for the slowest before they update: on one clock the first updates lie close together.
    EXPECT_NEAR(first_update[rank], first_update[0], 5e6) << "microseconds";
  }
  EXPECT_EQ(*steps[0].begin(), 1);
}

TEST_P(Trace, ThatCannotBeWrittenIsOneLine) {
  const Outcome outcome = train({"--out", "out", "--trace", "missing/trace.json"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(outcome.err.starts_with("lockstep: missing/trace.json: cannot be written")) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/model.safetensors")) << "refused before it trains";
}

TEST_P(Trace, MetricsSplitTheSecondsOfAnEpoch) {
  ASSERT_EQ(train({"--out", "out"}).code, 0);
  const Table metrics = read_csv(folder_ / "out/metrics.csv");
  for (std::size_t i = 0; i < metrics.rows.size(); ++i) {
    const double compute = metrics.number(i, "compute_seconds"), wait = metrics.number(i, "wait_seconds"),
                 transfer = metrics.number(i, "transfer_seconds"), seconds = metrics.number(i, "seconds");
    EXPECT_GT(compute, 0.0);
    EXPECT_GE(wait, 0.0);
    EXPECT_GE(transfer, 0.0);
    EXPECT_LE(compute + wait + transfer, 1.05 * seconds + 0.01);  // ranks' means against rank 0's clock
    EXPECT_GE(compute + wait + transfer, 0.3 * seconds);
  }
}

TEST_P(Trace, OverlapChangesNoBitOfTheWeights) {
  ASSERT_EQ(train({"--out", "plain", "--set", "reduce.overlap=never"}).code, 0);
  for (const char* bytes : {"0", "100", "5000", "100000000"}) {
    ASSERT_EQ(train({"--out", "out", "--set", "reduce.overlap=always", "--set",
                     std::string("reduce.bucket_bytes=") + bytes})
                  .code,
              0);
    EXPECT_EQ(weights_hash(folder_ / "out"), weights_hash(folder_ / "plain")) << bytes;
  }
}

TEST_P(Trace, DoctorSaysWhatThereIs) {
  const Outcome outcome = run({"doctor"}, GetParam(), in(folder_.path()));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  for (const char* part :
       {"kernels", "GFLOP/s", "ranks", " to run on", "threads", "allreduce", "data", "launch/get-cifar10"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " in\n" << outcome.out;
  EXPECT_NE(outcome.out.find(std::to_string(ranks()) + " on 1 host"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("microseconds") != std::string::npos, ranks() > 1);
  EXPECT_EQ(outcome.out.find("in memory that the ranks share") != std::string::npos, ranks() > 1);
}

}  // namespace
}  // namespace lockstep::program
