// Every configuration and sweep that comes with the program runs, shortened, and does the same on any number
// of ranks. A new file in configs/ is tested without a new test.
#include "shipped.h"

#include <gtest/gtest.h>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

class ShippedConfiguration : public testing::TestWithParam<std::string> {
 protected:
  // This subcommand with the configuration, shortened.
  Outcome shorter(const Words& command, int ranks) {
    Words words = command;
    words.push_back(shipped(GetParam()).string());
    for (const std::string& word : shortened(shipped(GetParam()))) words.push_back(word);
    return run(words, ranks, in(folder_.path()));
  }

  TemporaryFolder folder_;
};
using ShippedNetwork = ShippedConfiguration;
INSTANTIATE_TEST_SUITE_P(ThreeRanks, ShippedConfiguration, testing::ValuesIn(shipped_configurations()),
                         name_of_shipped);
INSTANTIATE_TEST_SUITE_P(OneProcess, ShippedNetwork, testing::ValuesIn(shipped_configurations()),
                         name_of_shipped);

TEST_P(ShippedConfiguration, TrainsAsOnOneRank) {
  for (const int ranks : {1, 3}) {
    const Outcome outcome = shorter({"train", "--quiet", "--out", std::to_string(ranks)}, ranks);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  EXPECT_EQ(weights_hash(folder_ / "3"), weights_hash(folder_ / "1"));
  const Table metrics = read_csv(folder_ / "1/metrics.csv");
  EXPECT_EQ(metrics.rows.size(), 2U);
  EXPECT_EQ(timeless(read_csv(folder_ / "3/metrics.csv")), timeless(metrics));
  EXPECT_EQ(std::filesystem::exists(folder_ / "3/gradients.csv"),
            std::filesystem::exists(folder_ / "1/gradients.csv"));
  if (std::filesystem::exists(folder_ / "1/gradients.csv")) {
    EXPECT_EQ(read_text(folder_ / "3/gradients.csv"), read_text(folder_ / "1/gradients.csv"));
  }
}

TEST_P(ShippedNetwork, HasTheDerivativesOfItsLossForAGradient) {
  const Outcome outcome = shorter({"gradcheck", "--elements", "10"}, kOneProcess);
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("pass"), std::string::npos) << outcome.out;
}

class ShippedSweep : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(ThreeRanks, ShippedSweep, testing::ValuesIn(shipped_sweeps()), name_of_shipped);

TEST_P(ShippedSweep, HasTheSameTrialsAsOnOneRank) {
  const TemporaryFolder folder;
  write_text(folder / "sweep.toml", shortened_sweep(shipped(GetParam())));
  for (const int ranks : {1, 3}) {
    const Outcome outcome =
        run({"sweep", "sweep.toml", "--out", std::to_string(ranks)}, ranks, in(folder.path(), 50));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  const Table trials = read_csv(folder / "1/trials.csv");
  EXPECT_GE(trials.rows.size(), 2U);
  for (const auto& row : trials.rows) EXPECT_EQ(row.at("status"), "ok") << row.at("error");
  EXPECT_EQ(timeless(read_csv(folder / "3/trials.csv")), timeless(trials));
}

TEST(Shipped, FoldersAreFound) {
  EXPECT_GE(shipped_configurations().size(), 10U);
  EXPECT_GE(shipped_sweeps().size(), 3U);
}

}  // namespace
}  // namespace lockstep::program
