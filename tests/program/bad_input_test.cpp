// Whatever is wrong with what the program is given, the job ends soon, with the exit code of its kind and one
// line that names the place, what was found and what was expected; alone, and under mpirun.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <tuple>

#include "bad_inputs.h"
#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;

// Exactly one line on stderr, nothing on stdout: "lockstep: ", prefix (a regular expression), then `says`.
void expect_one_line(const Outcome& outcome, const std::string& prefix, const Words& says) {
  EXPECT_EQ(outcome.out, "");
  std::smatch line;
  ASSERT_TRUE(std::regex_match(outcome.err, line, std::regex("lockstep: " + prefix + "(.*)\n")))
      << outcome.err;
  const std::string message = line[1];
  std::size_t from = 0;
  for (const std::string& part : says) {
    const std::size_t at = message.find(part, from);
    ASSERT_NE(at, std::string::npos) << "no \"" << part << "\" from character " << from
                                     << " on in: " << message;
    from = at + part.size();
  }
}

std::string prefix(Seen seen, int ranks) {
  return ranks == kOneProcess || seen == Seen::kByAll ? "(?!rank )" : "rank [0-9]+: ";
}

class Mistake : public testing::TestWithParam<std::tuple<int, BadInput>> {};

TEST_P(Mistake, EndsTheJobWithOneLine) {
  const auto& [ranks, input] = GetParam();
  const TemporaryFolder folder;
  write_small_config(folder.path());
  const Words words = input.arrange(folder.path());
  const Outcome outcome = run(words, ranks, in(folder.path()));
  EXPECT_EQ(outcome.code, input.code);
  expect_one_line(outcome, prefix(input.seen, ranks), input.says);
  EXPECT_FALSE(fs::exists(folder / "out/summary.json"));
  EXPECT_FALSE(fs::exists(folder / "out/model.safetensors"));
}

std::string name_of(const testing::TestParamInfo<std::tuple<int, BadInput>>& info) {
  return std::get<1>(info.param).name;
}
std::vector<BadInput> all_bad_inputs() {
  std::vector<BadInput> all = bad_inputs();
  for (const auto& more : {bad_data_inputs(), bad_model_inputs(), bad_sweep_inputs()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

// Mistakes that reach several ranks in different ways: noticed before MPI begins, by rank 0 for all, by one
// other rank, by all at once, before data are read, after, and in the midst of training.
const std::vector<std::string> kWays = {"NoSubcommand",
                                        "UnknownOption",
                                        "UnknownKey",
                                        "MissingConfigFile",
                                        "OutputBelowAFile",
                                        "OutputOnAFullDisk",
                                        "TruncatedDataFile",
                                        "LabelTenInTheTrainingSet",
                                        "LabelTenInTheTestSet",
                                        "CsvThatIsMissing",
                                        "CsvWithARaggedRow",
                                        "MoreTrainingSamplesThanThereAre",
                                        "RegressionWithTwoOutputs",
                                        "LearningRateThatDiverges",
                                        "WeightsCutShort",
                                        "MissingWeightsForEvaluation",
                                        "SweepOfDataThatAreMissing",
                                        "SweepWithMoreRanksPerTrialThanRanks"};

std::vector<BadInput> one_of_each_way() {
  std::vector<BadInput> inputs = all_bad_inputs();
  std::erase_if(inputs, [](const BadInput& input) { return std::ranges::count(kWays, input.name) == 0; });
  return inputs;
}
TEST(Mistakes, OfEveryWayAreAmongTheBadInputs) { EXPECT_EQ(one_of_each_way().size(), kWays.size()); }

INSTANTIATE_TEST_SUITE_P(OneProcess, Mistake,
                         testing::Combine(testing::Values(kOneProcess), testing::ValuesIn(all_bad_inputs())),
                         name_of);
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Mistake,
                         testing::Combine(testing::Values(3), testing::ValuesIn(one_of_each_way())), name_of);
INSTANTIATE_TEST_SUITE_P(LongThreeRanks, Mistake,
                         testing::Combine(testing::Values(3), testing::ValuesIn(all_bad_inputs())), name_of);

TEST(ThreeRanks, AreRefusedTwoShards) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  const Outcome outcome = run(quiet_training({"--set", "data.shards=2"}), 3, in(folder.path()));
  EXPECT_EQ(outcome.code, 2);
  expect_one_line(outcome, "", {"3 ranks", "2 shards", "set data.shards to 3 or more"});
}

// Each rank is told by its environment where the data is; rank 1 is told wrong.
TEST(ThreeRanks, StopTogetherForDataThatOneOfThemMisses) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  write_black_cifar10(folder / "good");
  write_black_cifar10(folder / "bad");
  fs::resize_file(folder / "bad/data_batch_2.bin", 1000);
  Words words = mpirun();
  for (const char* data : {"good", "bad", "good"}) {
    words.insert(words.end(), {"-np", "1", "env", std::string("CIFAR10_DIR=") + data, program()});
    const Words arguments = quiet_training({"--set", "data.dataset=cifar10"});
    words.insert(words.end(), arguments.begin(), arguments.end());
    words.push_back(":");
  }
  words.pop_back();
  const Outcome outcome = execute(words, in(folder.path()));
  EXPECT_EQ(outcome.code, 3);
  expect_one_line(outcome, "rank 1: ", {"bad/data_batch_2.bin", "1000 bytes", "expected 30730000"});
}

class BadRun : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(OneProcess, BadRun, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, BadRun, testing::Values(3));

// Also one that it was to replace.
TEST_P(BadRun, LeavesAnEarlierRunAlone) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  ASSERT_EQ(run(quiet_training({}), GetParam(), in(folder.path())).code, 0);
  const std::string summary = read_text(folder / "out/summary.json");
  const std::string model = read_text(folder / "out/model.safetensors");
  for (const auto& [setting, code] :
       {std::pair{"train.init_from=nowhere", 4}, {"train.learning_rate=1e29", 2}}) {
    const Outcome failed =
        run(quiet_training({"--overwrite", "--set", setting}), GetParam(), in(folder.path()));
    EXPECT_EQ(failed.code, code) << failed.err;
    EXPECT_EQ(read_text(folder / "out/summary.json"), summary);
    EXPECT_EQ(read_text(folder / "out/model.safetensors"), model);
  }
}

}  // namespace
}  // namespace lockstep::program
