// Whatever is wrong with what the program is given, the job ends soon, with the exit code of its kind and one
// line that names the place, what was found and what was expected; alone, and under mpirun.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <regex>
#include <tuple>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Which ranks of several notice the mistake; it decides what stands before the message.
enum class Seen { kByAll, kByRankZero, kByOne };

struct BadInput {
  std::string name;
  int code;
  Seen seen;
  // Puts files into the working folder, which has run.toml already, and returns the command line.
  std::function<Words(const fs::path&)> arrange;
  Words says;  // parts of the message, in this order
};

// How the test's output calls it.
void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

Words train(const Words& more) {
  Words words = {"train", "run.toml", "--out", "out", "--quiet"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// train --set OVERRIDE, nothing else being special.
auto set(const std::string& override) {
  return [override](const fs::path&) { return train({"--set", override}); };
}

auto command(const Words& words) {
  return [words](const fs::path&) { return words; };
}

// Trains with bad.toml, which has this text.
auto config(const std::string& text) {
  return [text](const fs::path& folder) {
    write_text(folder / "bad.toml", text);
    return Words{"train", "bad.toml", "--out", "out", "--quiet"};
  };
}

// Trains on files of CIFAR-10's format in the folder cifar, which `spoil` has changed.
auto cifar(const std::function<void(const fs::path&)>& spoil) {
  return [spoil](const fs::path& folder) {
    write_black_cifar10(folder / "cifar");
    spoil(folder / "cifar");
    return train({"--set", "data.dataset=cifar10", "--set", "data.dir=cifar"});
  };
}

// Starts from a weight file for these widths, which `spoil` has changed; run.toml's network is 3072, 8, 10.
auto weights(const std::vector<std::size_t>& widths, const std::function<void(Tensors&)>& spoil) {
  return [=](const fs::path& folder) {
    Tensors tensors = zero_tensors(widths);
    spoil(tensors);
    write_safetensors(folder / "init.safetensors", tensors);
    return train({"--set", "train.init_from=init.safetensors"});
  };
}

Words header_of_2_to_60_bytes(const fs::path& folder) {
  write_text(folder / "init.safetensors", std::string("\0\0\0\0\0\0\0\x10{}", 10));
  return train({"--set", "train.init_from=init.safetensors"});
}

const std::vector<BadInput> kBadInputs = {
    // Data: exit code 3.
    {"TruncatedDataFile",
     3,
     Seen::kByAll,
     cifar([](const fs::path& data) { fs::resize_file(data / "data_batch_3.bin", 30729999); }),
     {"cifar/data_batch_3.bin", "30729999 bytes", "expected 30730000"}},
    {"OversizedDataFile",
     3,
     Seen::kByAll,
     cifar([](const fs::path& data) { fs::resize_file(data / "test_batch.bin", 30733073); }),
     {"cifar/test_batch.bin", "30733073 bytes", "expected 30730000"}},
    {"LabelTenInTheTrainingSet",
     3,
     Seen::kByOne,
     cifar([](const fs::path& data) { set_label(data / "data_batch_1.bin", 5, 10); }),
     {"cifar/data_batch_1.bin", "record 5", "label 10", "expected 0..9"}},
    {"LabelTenInTheTestSet",
     3,
     Seen::kByOne,
     cifar([](const fs::path& data) { set_label(data / "test_batch.bin", 149, 10); }),
     {"cifar/test_batch.bin", "record 149", "label 10", "expected 0..9"}},
    {"DataFolderWithoutTheFiles",
     3,
     Seen::kByAll,
     cifar([](const fs::path& data) { fs::remove_all(data), fs::create_directory(data); }),
     {"cifar/data_batch_1.bin", "No such file"}},
    {"MissingDataFolder",
     3,
     Seen::kByAll,
     cifar([](const fs::path& data) { fs::remove_all(data); }),
     {"cifar: no such folder", "expected the CIFAR-10 binary files", "data.dir"}},
    // Configuration: exit code 2.
    {"UnknownKey",
     2,
     Seen::kByAll,
     config("seed = 1\n[frobnication]\nspeed = 1\n"),
     {"bad.toml:3", "unknown key frobnication.speed", "expected one of", "train.learning_rate"}},
    {"MisspeltKey",
     2,
     Seen::kByAll,
     config("[train]\nlerning_rate = 0.1\n"),
     {"bad.toml:2", "unknown key train.lerning_rate", "did you mean train.learning_rate?"}},
    {"MisspeltKeyOnTheCommandLine",
     2,
     Seen::kByAll,
     set("data.shard=8"),
     {"--set", "unknown key data.shard", "did you mean data.shards?"}},
    {"WordForANumber",
     2,
     Seen::kByAll,
     set("train.epochs=many"),
     {"--set", "train.epochs is", "many", "expected an integer of at least 1"}},
    {"NumberForAList",
     2,
     Seen::kByAll,
     config("[model]\nhidden = 100\n"),
     {"bad.toml:2", "model.hidden is 100", "expected a list of integers"}},
    {"NumberForASwitch",
     2,
     Seen::kByAll,
     set("log.steps=1"),
     {"--set", "log.steps is 1", "expected true or false"}},
    {"NegativeLearningRate",
     2,
     Seen::kByAll,
     config("[train]\n\nlearning_rate = -0.1\n"),
     {"bad.toml:3", "train.learning_rate is -0.1", "expected a number above 0"}},
    {"LearningRateThatIsNoNumber",
     2,
     Seen::kByAll,
     set("train.learning_rate=nan"),
     {"--set", "train.learning_rate is nan", "expected a number above 0"}},
    {"UnknownChoice",
     2,
     Seen::kByAll,
     set("model.activation=gelu"),
     {"--set", "model.activation is", "gelu", "expected one of", "sigmoid", "relu"}},
    {"UnknownDataSet",
     2,
     Seen::kByAll,
     set("data.dataset=mnist"),
     {"--set", "data.dataset is", "mnist", "expected one of", "cifar10", "synthetic"}},
    {"NoShards", 2, Seen::kByAll, set("data.shards=0"), {"data.shards is 0", "expected", "at least 1"}},
    {"BatchThatShardsDoNotDivide",
     2,
     Seen::kByAll,
     set("train.batch_size=100"),
     {"train.batch_size is 100", "expected a multiple of data.shards", "8"}},
    {"MoreTrainingSamplesThanThereAre",
     2,
     Seen::kByAll,
     set("data.train_samples=50001"),
     {"data.train_samples is 50001", "expected at most 50000"}},
    {"MoreTestSamplesThanThereAre",
     2,
     Seen::kByAll,
     set("data.test_samples=10001"),
     {"data.test_samples is 10001", "expected at most 10000"}},
    {"TomlSyntaxError",
     2,
     Seen::kByAll,
     config("seed = 1\n[train\nepochs = 3\n"),
     {"bad.toml:2", "not TOML"}},
    {"KeyGivenTwice", 2, Seen::kByAll, config("seed = 1\nseed = 2\n"), {"bad.toml:2", "not TOML", "seed"}},
    {"MissingConfigFile",
     2,
     Seen::kByRankZero,
     command({"train", "nowhere.toml", "--out", "out"}),
     {"nowhere.toml", "cannot be read", "No such file"}},
    {"FolderForAConfigFile",
     2,
     Seen::kByRankZero,
     command({"train", ".", "--out", "out"}),
     {".: cannot be read", "directory"}},
    {"OverrideWithoutEqualsSign",
     2,
     Seen::kByAll,
     set("train.epochs"),
     {"--set train.epochs", "expected section.key=value"}},
    {"OutputBelowAFile",
     2,
     Seen::kByRankZero,
     command({"train", "run.toml", "--quiet", "--out", "run.toml/out"}),
     {"run.toml/out", "cannot be written", "Not a directory"}},
    // Training that cannot go on: the exit code of its configuration.
    {"LearningRateThatDiverges",
     2,
     Seen::kByAll,
     set("train.learning_rate=1e29"),
     {"training diverged at step", "expected finite numbers", "train.learning_rate"}},
    {"WeightsThatAreNoNumbers",
     2,
     Seen::kByAll,
     weights({3072, 8, 10}, [](Tensors& tensors) { tensors.data.assign(tensors.data.size(), '\xff'); }),
     {"training diverged at step 1 ", "layer 0", "Dense 3072 -> 8", "not finite"}},
    // The command line: exit code 2.
    {"UnknownSubcommand", 2, Seen::kByAll, command({"explain"}), {"subcommand", "--help"}},
    {"NoSubcommand", 2, Seen::kByAll, command({}), {"subcommand is required", "--help"}},
    {"NoConfiguration", 2, Seen::kByAll, command({"train"}), {"CONFIG is required"}},
    {"UnknownOption",
     2,
     Seen::kByAll,
     command({"train", "run.toml", "--out", "out", "--fast"}),
     {"--fast", "--help"}},
    {"OptionWithoutItsValue",
     2,
     Seen::kByAll,
     command({"train", "run.toml", "--out"}),
     {"--out", "1 required"}},
    {"EvaluationWithoutWeights",
     2,
     Seen::kByAll,
     command({"eval", "run.toml"}),
     {"run.toml", "no weights", "expected --model FILE or train.init_from"}},
    // Weights: exit code 4.
    {"WeightsOfAnotherShape",
     4,
     Seen::kByAll,
     weights({3072, 9, 10}, [](Tensors&) {}),
     {"init.safetensors", "layers.0.weight", "shape (9, 3072)", "expected (8, 3072)"}},
    {"WeightsOfAnotherType",
     4,
     Seen::kByAll,
     weights({3072, 8, 10}, [](Tensors& tensors) { tensors.header["layers.1.bias"]["dtype"] = "I32"; }),
     {"init.safetensors", "layers.1.bias", "I32", "expected F32"}},
    {"WeightsWithATensorTooFew",
     4,
     Seen::kByAll,
     weights({3072, 8}, [](Tensors&) {}),
     {"init.safetensors", "layers.1.weight is missing"}},
    {"WeightsWithATensorTooMany",
     4,
     Seen::kByAll,
     weights({3072, 8, 10, 10}, [](Tensors&) {}),
     {"init.safetensors", "layers.2", "not a tensor of this network"}},
    {"WeightsCutShort",
     4,
     Seen::kByAll,
     weights({3072, 8, 10}, [](Tensors& tensors) { tensors.data.pop_back(); }),
     {"init.safetensors", "layers.1.bias", "expected"}},
    {"WeightsWithALyingHeaderLength",
     4,
     Seen::kByAll,
     header_of_2_to_60_bytes,
     {"init.safetensors", "header of 1152921504606846976 bytes", "only 2 follow"}},
    {"MissingWeights",
     4,
     Seen::kByAll,
     set("train.init_from=nowhere.safetensors"),
     {"nowhere.safetensors", "cannot be read", "No such file"}},
    {"MissingWeightsForEvaluation",
     4,
     Seen::kByAll,
     command({"eval", "run.toml", "--model", "nowhere.safetensors"}),
     {"nowhere.safetensors", "cannot be read", "No such file"}},
};

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
  if (ranks == kOneProcess || seen == Seen::kByAll) return "(?!rank )";
  return seen == Seen::kByRankZero ? "rank 0: " : "rank [0-9]+: ";
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
INSTANTIATE_TEST_SUITE_P(OneProcess, Mistake,
                         testing::Combine(testing::Values(kOneProcess), testing::ValuesIn(kBadInputs)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Mistake,
                         testing::Combine(testing::Values(3), testing::ValuesIn(kBadInputs)), name_of);

TEST(ThreeRanks, AreRefusedTwoShards) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  const Outcome outcome = run(train({"--set", "data.shards=2"}), 3, in(folder.path()));
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
    const Words arguments = train({"--set", "data.dataset=cifar10"});
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

TEST_P(BadRun, LeavesAnEarlierRunAlone) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  ASSERT_EQ(run(train({}), GetParam(), in(folder.path())).code, 0);
  const std::string summary = read_text(folder / "out/summary.json");
  const std::string model = read_text(folder / "out/model.safetensors");
  EXPECT_EQ(run(train({"--set", "train.init_from=nowhere"}), GetParam(), in(folder.path())).code, 4);
  EXPECT_EQ(read_text(folder / "out/summary.json"), summary);
  EXPECT_EQ(read_text(folder / "out/model.safetensors"), model);
}

TEST_P(BadRun, DoesNotPassAnEarlierRunsResultsOffAsItsOwn) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  ASSERT_EQ(run(train({}), GetParam(), in(folder.path())).code, 0);
  EXPECT_EQ(run(train({"--set", "train.learning_rate=1e29"}), GetParam(), in(folder.path())).code, 2);
  EXPECT_FALSE(fs::exists(folder / "out/summary.json"));
  EXPECT_FALSE(fs::exists(folder / "out/model.safetensors"));
}

}  // namespace
}  // namespace lockstep::program
