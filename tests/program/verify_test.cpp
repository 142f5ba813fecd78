// lockstep verify: a difference between these ranks and one process is its exit code.
#include <gtest/gtest.h>

#include <regex>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

class Verify : public testing::TestWithParam<int> {
 protected:
  Verify() { write_small_config(folder_.path()); }

  Outcome verify(const Words& more) {
    Words words = {"verify", "run.toml", "--steps", "9"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, GetParam(), in(folder_.path()));
  }

  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, Verify, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Verify, testing::Values(3));

// In the second epoch, which begins with step 8.
TEST_P(Verify, FindsTheWeightsThatTrainingHas) {
  const Outcome outcome = verify({});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  std::smatch parts;
  const std::string layout = GetParam() == kOneProcess ? "1 rank x 1 thread" : "3 ranks x 1 thread";
  const std::regex form("[^\n]*\nidentical after each of 9 steps: weights ([0-9a-f]{16}), " + layout +
                        " against 1 x 1\n");
  ASSERT_TRUE(std::regex_match(outcome.out, parts, form)) << outcome.out;
  const Words train = {"train", "run.toml", "--out", "out", "--quiet", "--set", "log.steps=true"};
  ASSERT_EQ(run(train, GetParam(), in(folder_.path())).code, 0);
  EXPECT_EQ(parts[1], read_csv(folder_ / "out/steps.csv").rows.at(8).at("weights_hash"));
}

TEST_P(Verify, WritesNoFiles) {
  ASSERT_EQ(verify({}).code, 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
    EXPECT_EQ(entry.path().filename(), "run.toml");
}

TEST_P(Verify, AcceptsFloatSumsWithinTheTolerance) {
  const Outcome outcome = verify({"--set", "reduce.mode=float", "--tolerance", "1e-3"});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
}

TEST(ThreeRanks, AreToldThatFloatSumsDriftFromOneProcesss) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  const Outcome outcome =
      run({"verify", "run.toml", "--steps", "9", "--set", "reduce.mode=float"}, 3, in(folder.path()));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("drift after 9 steps, .*above the tolerance of 0 ")))
      << outcome.out;
}

}  // namespace
}  // namespace lockstep::program
