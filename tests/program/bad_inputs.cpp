#include "bad_inputs.h"

#include "files.h"

namespace lockstep::program {

namespace fs = std::filesystem;

Words quiet_training(const Words& more) {
  Words words = {"train", "run.toml", "--out", "out", "--quiet"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

namespace {

// train --set OVERRIDE, nothing else being special.
auto set(const std::string& override) {
  return [override](const fs::path&) { return quiet_training({"--set", override}); };
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
    return quiet_training({"--set", "data.dataset=cifar10", "--set", "data.dir=cifar"});
  };
}

// Starts from a weight file for these widths, which `spoil` has changed; run.toml's network is 3072, 8, 10.
auto weights(const std::vector<std::size_t>& widths, const std::function<void(Tensors&)>& spoil) {
  return [=](const fs::path& folder) {
    Tensors tensors = zero_tensors(widths);
    spoil(tensors);
    write_safetensors(folder / "init.safetensors", tensors);
    return quiet_training({"--set", "train.init_from=init.safetensors"});
  };
}

// 200 layers of 60,000: 5.7 terabytes.
std::string wide_layers() {
  std::string widths = "60000";
  for (int i = 1; i < 200; ++i) widths += ",60000";
  return widths;
}

Words header_of_2_to_60_bytes(const fs::path& folder) {
  write_text(folder / "init.safetensors", std::string("\0\0\0\0\0\0\0\x10{}", 10));
  return quiet_training({"--set", "train.init_from=init.safetensors"});
}

std::string many_numbers() {
  std::string text = "1";
  for (int i = 2; i <= 60; ++i) text += "," + std::to_string(i);
  return text;
}

}  // namespace

std::vector<BadInput> bad_inputs() {
  return {
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
      {"DataFolderWithANameTooLong",
       3,
       Seen::kByAll,
       command({"train", "run.toml", "--quiet", "--set", "data.dataset=cifar10", "--set",
                "data.dir=" + std::string(300, 'a')}),
       {std::string(300, 'a'), "expected the CIFAR-10 binary files"}},
      // Configuration: exit code 2.
      {"UnknownKey",
       2,
       Seen::kByAll,
       config("seed = 1\n[frobnication]\nspeed = 1\n"),
       {"bad.toml:3", "unknown key frobnication.speed", "expected one of seed, data.*, model.*, train.*"}},
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
      {"MoreShardsThanAnyOneNeeds",
       2,
       Seen::kByAll,
       command({"train", "run.toml", "--quiet", "--set", "data.shards=1000000000000", "--set",
                "train.batch_size=1000000000000"}),
       {"--set", "data.shards is 1000000000000", "expected 1 to"}},
      {"LayerThatNoMemoryHolds",
       2,
       Seen::kByAll,
       set("model.hidden=[10000000000000]"),
       {"model.hidden", "10000000000000", "expected fewer than"}},
      {"NetworkThatNoHostHolds",
       2,
       Seen::kByAll,
       set("model.hidden=[" + wide_layers() + "]"),
       {"the network and its data need at least", "GB on ", "expected at most", "fewer ranks per host"}},
      {"LearningRateBeyondReason",
       2,
       Seen::kByAll,
       set("train.learning_rate=1e30"),
       {"train.learning_rate is 1e+30", "expected a number", "below 1e30"}},
      {"ValueOfTwoLines",
       2,
       Seen::kByAll,
       set(R"(train.learning_rate="a\nb")"),
       {"train.learning_rate is", "expected a number above 0"}},
      {"ListThatFillsAPage",
       2,
       Seen::kByAll,
       set("train.learning_rate=[" + many_numbers() + "]"),
       {"train.learning_rate is [", "expected a number above 0"}},
      {"UnknownChoice",
       2,
       Seen::kByAll,
       set("model.activation=gelu"),
       {"--set", "model.activation is", "gelu", "expected one of", "sigmoid", "relu"}},
      {"UnknownKernelFamily",
       2,
       Seen::kByAll,
       set("compute.kernels=abacus"),
       {"--set", "compute.kernels is", "abacus", "expected one of", "auto"}},
      {"MoreGradientBlocksThanExactSumsCanHold",
       2,
       Seen::kByAll,
       command(
           {"train", "run.toml", "--quiet", "--set", "data.shards=32768", "--set", "train.batch_size=32768"}),
       {"32768 gradient blocks", "data.shards", "expected at most 32767", "reduce.mode"}},
      {"MoreGradientBlocksThanNarrowSumsCanHold",
       2,
       Seen::kByAll,
       command({"train", "run.toml", "--quiet", "--set", "data.shards=128", "--set", "train.batch_size=128",
                "--set", "reduce.wire=int16"}),
       {"128 gradient blocks", "data.shards", "expected at most 127", "reduce.wire"}},
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
       Seen::kByAll,
       command({"train", "nowhere.toml", "--out", "out"}),
       {"nowhere.toml", "cannot be read", "No such file"}},
      {"FolderForAConfigFile",
       2,
       Seen::kByAll,
       command({"train", ".", "--out", "out"}),
       {".: is a folder", "expected a TOML file"}},
      {"OverrideWithoutEqualsSign",
       2,
       Seen::kByAll,
       set("train.epochs"),
       {"--set train.epochs", "expected section.key=value"}},
      {"OutputBelowAFile",
       2,
       Seen::kByAll,
       command({"train", "run.toml", "--quiet", "--out", "run.toml/out"}),
       {"run.toml/out", "cannot be written", "Not a directory"}},
      {"OutputOnAFullDisk",
       2,
       Seen::kByAll,
       [](const fs::path& folder) {
         fs::create_directory(folder / "out");
         write_text(folder / "out/.lock", "");  // of a run
         fs::create_symlink("/dev/full", folder / "out/metrics.csv");
         return quiet_training({});
       },
       {"out/metrics.csv", "cannot be written"}},
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
       {"training diverged at step 1 ", "layers.0.weight", "not finite"}},
      // The command line: exit code 2.
      {"UnknownSubcommand",
       2,
       Seen::kByAll,
       command({"explain"}),
       {"explain is not a subcommand", "expected", "--help"}},
      {"NoSubcommand",
       2,
       Seen::kByAll,
       command({}),
       {"no subcommand", "expected one of train, eval", "--help"}},
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
      {"VerificationOfNoSteps",
       2,
       Seen::kByAll,
       command({"verify", "run.toml", "--steps", "0"}),
       {"--steps", "0", "--help"}},
      {"ConfigurationWithANameTooLong",
       2,
       Seen::kByAll,
       command({"eval", std::string(300, 'a')}),
       {std::string(300, 'a'), "too long"}},
      {"EvaluationWithoutWeights",
       2,
       Seen::kByAll,
       command({"eval", "run.toml"}),
       {"run.toml", "no weights", "expected --model FILE or train.init_from"}},
      // Weights, which rank 0 reads for all: exit code 4.
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
}

}  // namespace lockstep::program
