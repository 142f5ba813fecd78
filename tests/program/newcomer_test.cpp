// What someone who is new types wrong, and all that is printed then: one line, which says what to type
// instead.
#include <gtest/gtest.h>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

struct WrongCommand {
  std::string name;
  Words words;  // "launch/run" and what comes after it, or arguments of lockstep
  int code;
  std::string says;
};
void PrintTo(const WrongCommand& wrong, std::ostream* out) { *out << wrong.name; }

const std::vector<WrongCommand> kWrongCommands = {
    {"NothingAtAll",
     {},
     2,
     "lockstep: no subcommand, expected one of train, eval, verify, selftest, gradcheck, sweep, inspect, "
     "configs, "
     "activations, predict, doctor (lockstep --help shows the usage)"},
    {"MisspeltSubcommand",
     {"trian", "run.toml"},
     2,
     "lockstep: trian is not a subcommand, did you mean train?"},
    {"ConfigurationForASubcommand",
     {"run.toml"},
     2,
     "lockstep: run.toml is not a subcommand, did you mean lockstep train run.toml?"},
    {"NoConfiguration",
     {"train"},
     2,
     "lockstep: train: CONFIG is required (lockstep train --help shows the usage)"},
    {"MisspeltConfiguration",
     {"train", "rum.toml"},
     2,
     "lockstep: rum.toml: cannot be read: No such file or directory, expected a TOML file, such as lockstep "
     "configs "
     "lists"},
    {"RunFolderForAConfiguration",
     {"train", "done"},
     2,
     "lockstep: done: is a folder, expected a TOML file, such as its config.toml"},
    {"WeightsForAConfiguration",
     {"eval", "done/model.safetensors"},
     2,
     "lockstep: done/model.safetensors: is not text, expected a TOML file"},
    {"SearchForAConfiguration",
     {"train", "search.toml"},
     2,
     "lockstep: search.toml: is a search, which lockstep sweep runs, expected a configuration"},
    {"MisspeltKey",
     {"train", "run.toml", "--set", "train.lerning_rate=0.1"},
     2,
     "lockstep: --set: unknown key train.lerning_rate, did you mean train.learning_rate?"},
    {"KeyWithoutItsSection",
     {"train", "run.toml", "--set", "epochs=3"},
     2,
     "lockstep: --set: unknown key epochs, did you mean train.epochs?"},
    {"UnknownSection",
     {"train", "run.toml", "--set", "gpu.count=1"},
     2,
     "lockstep: --set: unknown key gpu.count, expected one of seed, data.*, model.*, train.*, reduce.*, "
     "compute.*, "
     "checkpoint.*, run.*, log.*"},
    {"SpaceForAnEqualsSign",
     {"train", "run.toml", "--set", "train.epochs", "3"},
     2,
     "lockstep: --set train.epochs 3: expected --set train.epochs=3"},
    {"NumberForAList",
     {"train", "run.toml", "--set", "model.hidden=256"},
     2,
     "lockstep: --set: model.hidden is 256, expected a list of integers of at least 1, such as [256]"},
    {"WordForANumber",
     {"train", "run.toml", "--set", "train.epochs=many"},
     2,
     "lockstep: --set: train.epochs is 'many', expected an integer of at least 1"},
    {"BatchThatShardsDoNotDivide",
     {"train", "run.toml", "--set", "train.batch_size=100"},
     2,
     "lockstep: --set: train.batch_size is 100, expected a multiple of data.shards, which is 8"},
    {"KeyForAnOption",
     {"train", "run.toml", "--epochs", "3"},
     2,
     "lockstep: train has no option --epochs, did you mean --set train.epochs=VALUE?"},
    {"OptionOfAnotherProgram",
     {"train", "run.toml", "--batch-size", "3"},
     2,
     "lockstep: train has no option --batch-size, did you mean --set train.batch_size=VALUE?"},
    {"KeyOfAnotherProgram",
     {"train", "run.toml", "--set", "train.lr=3"},
     2,
     "lockstep: --set: unknown key train.lr, did you mean train.learning_rate?"},
    {"RunsOwnFolder",
     {"train", "run.toml", "--out", "done"},
     2,
     "lockstep: done: holds a run (model.safetensors), expected another --out, or --overwrite to replace it"},
    {"MisspeltOption",
     {"train", "run.toml", "--resum", "latest"},
     2,
     "lockstep: train has no option --resum, did you mean --resume?"},
    {"RanksWithoutMpirun",
     {"train", "run.toml", "-np", "2"},
     2,
     "lockstep: train has no option -np, mpirun has: launch/run -np P train"},
    {"MisspeltLatest",
     {"train", "run.toml", "--quiet", "--resume", "lastest"},
     4,
     "lockstep: lastest: cannot be read: No such file or directory, expected a checkpoint or latest"},
    {"MissingData",
     {"train", "run.toml", "--quiet", "--set", "data.dataset=cifar10"},
     3,
     "lockstep: data/cifar-10-batches-bin: no such folder, expected the CIFAR-10 binary files "
     "(launch/get-cifar10 "
     "downloads them; data.dir or CIFAR10_DIR says where they are)"},
    {"LaunchOfNothing",
     {"launch/run"},
     2,
     "launch/run: no CONFIG, expected the file of a training run or a subcommand (lockstep configs lists "
     "those that "
     "come with the program)"},
    {"LaunchOfAMisspeltConfiguration",
     {"launch/run", "rum.toml"},
     2,
     "lockstep: rum.toml: cannot be read: No such file or directory, expected a TOML file, such as lockstep "
     "configs "
     "lists"},
    {"LaunchOfAMisspeltSubcommand",
     {"launch/run", "-np", "2", "--force", "trian", "run.toml"},
     2,
     "lockstep: trian is not a subcommand, did you mean train?"},
    {"LaunchWithRanksAtTheEnd",
     {"launch/run", "run.toml", "-np", "2"},
     2,
     "launch/run: -np comes after run.toml, expected it before: launch/run -np VALUE run.toml"},
    {"MoreRanksThanShards",
     {"launch/run", "-np", "3", "--force", "run.toml", "--quiet", "--set", "data.shards=2"},
     2,
     "lockstep: 3 ranks share 2 shards, expected at most one rank a shard: set data.shards to 3 or more, or "
     "start "
     "fewer ranks"},
};

class Newcomer : public testing::TestWithParam<WrongCommand> {};
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Newcomer, testing::ValuesIn(kWrongCommands),
                         [](const auto& wrong) { return wrong.param.name; });

TEST_P(Newcomer, IsToldWhatToTypeInstead) {
  const TemporaryFolder folder;
  write_small_config(folder.path());
  write_text(folder / "search.toml",
             "config = \"run.toml\"\nsearch = \"grid\"\n[parameters]\n\"train.momentum\" = [0.1]\n");
  std::filesystem::create_directory(folder / "done");
  write_text(folder / "done/config.toml", read_text(folder / "run.toml"));
  write_text(folder / "done/.lock", "");
  write_safetensors(folder / "done/model.safetensors", zero_tensors({3072, 8, 10}));
  Words words = GetParam().words;
  Surroundings surroundings = in(folder.path());
  surroundings.environment = {{"LOCKSTEP", program()}, {"OMPI_ALLOW_RUN_AS_ROOT", "1"}};
  if (!words.empty() && words.front() == "launch/run")
    words.front() = LOCKSTEP_SOURCE_FOLDER "/../launch/run";
  else
    words.insert(words.begin(), program());
  const Outcome outcome = execute(words, surroundings);
  EXPECT_EQ(outcome.code, GetParam().code);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, GetParam().says + "\n");
}

}  // namespace
}  // namespace lockstep::program
