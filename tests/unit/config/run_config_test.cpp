// From TOML text and --set to one validated configuration, and the errors on the way.
#include "config/run_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/expect_error.h"
#include "support.h"

namespace lockstep::config {
namespace {

using nlohmann::ordered_json;
using test::expect_error;
using test::Overrides;
using test::resolved;

TEST(RunConfig, AnEmptyFileIsTheDefaults) {
  const RunConfig config = parse("", "run.toml", {}), defaults;
  EXPECT_EQ(config.seed, defaults.seed);
  EXPECT_EQ(config.data.dataset, defaults.data.dataset);
  EXPECT_EQ(config.data.shards, defaults.data.shards);
  EXPECT_EQ(config.data.shuffle, defaults.data.shuffle);
  EXPECT_EQ(config.data.normalize, defaults.data.normalize);
  EXPECT_EQ(config.model.hidden, defaults.model.hidden);
  EXPECT_EQ(config.model.activation, defaults.model.activation);
  EXPECT_EQ(config.model.loss, defaults.model.loss);
  EXPECT_EQ(config.train.epochs, defaults.train.epochs);
  EXPECT_EQ(config.train.batch_size, defaults.train.batch_size);
  EXPECT_EQ(config.train.optimizer.learning_rate, defaults.train.optimizer.learning_rate);
  EXPECT_EQ(config.train.schedule.kind, defaults.train.schedule.kind);
  EXPECT_EQ(config.reduce.mode, defaults.reduce.mode);
  EXPECT_EQ(config.compute.threads, defaults.compute.threads);
  EXPECT_EQ(config.log.steps, defaults.log.steps);
  EXPECT_EQ(config.log.gradients, defaults.log.gradients);
  EXPECT_EQ(config.log.layers, defaults.log.layers);
  EXPECT_EQ(config.log.film, defaults.log.film);
  EXPECT_EQ(config.log.json, defaults.log.json);
  EXPECT_EQ(config.log.tensorboard, defaults.log.tensorboard);
}

// Each is a table within a table, whether dots or braces make it.
TEST(RunConfig, AKeyOfVeryManyPartsIsRefused) {
  std::string dots = "a", braces = "seed = 1";
  for (int i = 0; i < 25; ++i) dots += ".a", braces = "a = {" + braces + "}";
  expect_error(dots + " = 1", {}, {"run.toml:1: more than 24 dots in a key"});
  expect_error("\n" + braces, {}, {"run.toml:2: more than 24 dots in a key"});
}

TEST(RunConfig, EveryKeyOfTheFileArrives) {
  const RunConfig config = parse(R"toml(
seed = 99
[data]
dataset = "cifar10"
dir = "somewhere"
shards = 6
shuffle = "none"
normalize = "mean_std"
train_samples = 600
test_samples = 60
[model]
hidden = [20, 10]
activation = "relu"
init = "normal(0.5)"
loss = "half_mse"
[train]
epochs = 3
batch_size = 12
learning_rate = 0.125
momentum = 0.5
nesterov = true
l2 = 0.25
schedule = "step"
warmup_epochs = 1.5
step_epochs = 4
step_factor = 0.75
init_from = "weights.safetensors"
[reduce]
mode = "float"
[compute]
threads = 3
[log]
steps = true
gradients = true
layers = true
film = true
json = true
tensorboard = true
)toml",
                                 "run.toml", {});
  EXPECT_EQ(config.seed, 99U);
  EXPECT_EQ(config.data.dataset, "cifar10");
  EXPECT_EQ(config.data.dir, "somewhere");
  EXPECT_EQ(config.data.shards, 6U);
  EXPECT_EQ(config.data.shuffle, data::Shuffle::kNone);
  EXPECT_EQ(config.data.normalize, data::Normalization::kMeanStd);
  EXPECT_EQ(config.data.train_samples, 600U);
  EXPECT_EQ(config.data.test_samples, 60U);
  EXPECT_EQ(config.model.hidden, (std::vector<std::size_t>{20, 10}));
  EXPECT_EQ(config.model.activation, kernels::Activation::kRelu);
  EXPECT_EQ(config.model.init, "normal(0.5)");
  EXPECT_EQ(config.model.loss, kernels::Loss::kHalfMse);
  EXPECT_EQ(config.train.epochs, 3U);
  EXPECT_EQ(config.train.batch_size, 12U);
  EXPECT_EQ(config.train.optimizer.learning_rate, 0.125);
  EXPECT_EQ(config.train.optimizer.momentum, 0.5);
  EXPECT_TRUE(config.train.optimizer.nesterov);
  EXPECT_EQ(config.train.optimizer.l2, 0.25);
  EXPECT_EQ(config.train.schedule.kind, optim::ScheduleOptions::Kind::kStep);
  EXPECT_EQ(config.train.schedule.warmup_epochs, 1.5);
  EXPECT_EQ(config.train.schedule.step_epochs, 4U);
  EXPECT_EQ(config.train.schedule.step_factor, 0.75);
  EXPECT_EQ(parse("[train]\nschedule = \"cosine\"\nfinal_learning_rate = 0.0625\n", "run.toml", {})
                .train.schedule.final_learning_rate,
            0.0625);
  EXPECT_EQ(config.init_from, "weights.safetensors");
  EXPECT_EQ(config.reduce.mode, reduce::Mode::kFloat);
  EXPECT_EQ(config.compute.threads, 3);
  EXPECT_TRUE(config.log.steps);
  EXPECT_TRUE(config.log.gradients);
  EXPECT_TRUE(config.log.layers);
  EXPECT_TRUE(config.log.film);
  EXPECT_TRUE(config.log.json);
  EXPECT_TRUE(config.log.tensorboard);
}

// Each name that the file may give selects the enumerator of that name.
TEST(RunConfig, EveryActivationAndLossHasItsNameAsKey) {
  test::for_every<kernels::Activation>([](kernels::Activation f) {
    const std::string word(kernels::name(f));
    EXPECT_EQ(parse("", "run.toml", {"model.activation=" + word}).model.activation, f);
    const Overrides last = {"model.output_activation=" + word, "model.loss=mse"};
    EXPECT_EQ(parse("", "run.toml", last).model.output_activation, f);
  });
  test::for_every<kernels::Loss>([](kernels::Loss loss) {
    const std::string set = "model.loss=" + std::string(kernels::name(loss));
    EXPECT_EQ(parse("", "run.toml", {set}).model.loss, loss);
  });
}

TEST(RunConfig, SetTakesValuesOfEveryType) {
  const RunConfig config =
      parse("", "run.toml",
            {"seed=7", "train.learning_rate=0.5", "train.l2=1", "train.learning_rate=1e-3", "log.steps=true",
             "model.hidden=[512, 256]", "data.dataset=cifar10", "model.activation=\"relu\"",
             "data.dir=/a b/c=d", "data.shards=0x10"});
  EXPECT_EQ(config.seed, 7U);
  EXPECT_EQ(config.train.optimizer.learning_rate, 1e-3);  // the later one
  EXPECT_EQ(config.train.optimizer.l2, 1.0);              // an integer is a number
  EXPECT_TRUE(config.log.steps);
  EXPECT_EQ(config.model.hidden, (std::vector<std::size_t>{512, 256}));
  EXPECT_EQ(config.data.dataset, "cifar10");  // a word needs no quotes
  EXPECT_EQ(config.model.activation, kernels::Activation::kRelu);
  EXPECT_EQ(config.data.dir, "/a b/c=d");
  EXPECT_EQ(config.data.shards, 16U);
  EXPECT_TRUE(parse("", "run.toml", {"model.hidden=[]"}).model.hidden.empty());
}

TEST(RunConfig, SetWinsOverTheFile) {
  EXPECT_EQ(parse("[train]\nepochs = 3\n", "run.toml", {"train.epochs=4"}).train.epochs, 4U);
}

TEST(RunConfig, ASetOfNoKeyOrValueIsAnError) {
  for (const char* text : {"train.epochs", "=3", ""}) expect_error("", {text}, {"--set", text, "key=value"});
}

TEST(RunConfig, AnUnknownKeyIsAnErrorThatSuggestsTheNearest) {
  expect_error("[train]\nepoch = 3\n", {}, {"run.toml:2", "train.epoch", "train.epochs"});
  expect_error("[trian]\nepochs = 3\n", {}, {"run.toml:2", "trian.epochs", "train.epochs"});
  expect_error("sed = 1\n", {}, {"run.toml:1", "sed", "seed"});
  expect_error("", {"train.learningrate=1"}, {"--set", "train.learningrate", "train.learning_rate"});
}

TEST(RunConfig, AnUnknownKeyLikeNoOtherListsItsSectionOrTheSections) {
  expect_error("[train]\nxyzzy_plugh = 3\n", {}, {"train.xyzzy_plugh", "train.epochs", "train.batch_size"});
  expect_error("[entirely_different]\nthing = 3\n", {},
               {"entirely_different.thing", "expected one of seed, data.*, model.*, train.*"});
}

TEST(RunConfig, AKeyWithoutItsSectionIsFound) {
  expect_error("epochs = 3\n", {}, {"unknown key epochs, did you mean train.epochs?"});
  expect_error("[model]\nmomentum = 0.5\n", {}, {"unknown key model.momentum, did you mean train.momentum?"});
}

TEST(RunConfig, AValueOfTheWrongTypeIsAnErrorThatSaysWhatIsExpected) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"train.epochs", "\"three\"", "integer"},
      {"train.epochs", "3.0", "integer"},
      {"train.epochs", "true", "integer"},
      {"train.learning_rate", "\"fast\"", "number"},
      {"train.learning_rate", "true", "number"},
      {"train.nesterov", "1", "true or false"},
      {"data.dataset", "3", "cifar10"},
      {"data.dir", "3", "string"},
      {"model.hidden", "100", "list"},
      {"model.hidden", "[100, 2.5]", "list"},
      {"model.hidden", "[\"a\"]", "list"},
      {"model.activation", "3", "sigmoid"},
      {"seed", "[1]", "integer"},
      {"log.steps", "\"yes\"", "true or false"},
      {"log.gradients", "1", "true or false"},
      {"model.dropout", "\"half\"", "number"},
      {"model.leaky_slope", "[0.1]", "number"},
      {"model.elu_alpha", "true", "number"},
      {"model.outputs", "1.0", "integer"},
      {"model.init", "3", "string"},
      {"model.bias_init", "0.0", "string"},
      {"model.layers", "3", "list of tables"},
      {"model.layers", "[3]", "list of tables"},
      {"data.folds", "\"five\"", "integer"},
      {"data.seed", "0.5", "integer"}};
  for (const auto& [key, value, expected] : cases) {
    const std::string name = key, section = name.substr(0, name.find('.')),
                      leaf = name.substr(name.find('.') + 1);
    const std::string header = section == name ? "" : "[" + section + "]\n";
    expect_error(header + leaf + " = " + value + "\n", {},
                 {header.empty() ? "run.toml:1: " : "run.toml:2: ", key, "expected", expected});
    expect_error("", {name + "=" + value}, {"--set: ", key, "expected", expected});
  }
}

TEST(RunConfig, AValueOutOfRangeIsAnErrorThatSaysWhatIsExpected) {
  const std::pair<const char*, const char*> cases[] = {{"train.learning_rate", "-0.1"},
                                                       {"train.learning_rate", "0"},
                                                       {"train.learning_rate", "nan"},
                                                       {"train.learning_rate", "inf"},
                                                       {"train.label_smoothing", "1"},
                                                       {"train.label_smoothing", "-0.1"},
                                                       {"train.label_smoothing", "nan"},
                                                       {"train.momentum", "1"},
                                                       {"train.momentum", "-0.1"},
                                                       {"train.momentum", "nan"},
                                                       {"train.l2", "-1e-9"},
                                                       {"train.l2", "inf"},
                                                       {"train.weight_decay", "-1e-9"},
                                                       {"train.weight_decay", "nan"},
                                                       {"train.clip_norm", "-1"},
                                                       {"train.clip_norm", "nan"},
                                                       {"train.average_decay", "1"},
                                                       {"train.average_decay", "-0.5"},
                                                       {"train.epochs", "0"},
                                                       {"train.epochs", "-1"},
                                                       {"train.batch_size", "0"},
                                                       {"data.shards", "0"},
                                                       {"data.train_samples", "-1"},
                                                       {"seed", "-1"},
                                                       {"model.hidden", "[10, 0]"},
                                                       {"model.hidden", "[-1]"},
                                                       {"compute.threads", "-1"},
                                                       {"compute.threads", "5000000000"},
                                                       {"train.step_epochs", "0"},
                                                       {"train.warmup_epochs", "-1"},
                                                       {"train.step_factor", "0"},
                                                       {"train.initial_learning_rate", "-1"},
                                                       {"train.final_learning_rate", "-1"},
                                                       {"model.dropout", "1"},
                                                       {"model.dropout", "-0.1"},
                                                       {"model.dropout", "nan"},
                                                       {"model.leaky_slope", "-0.1"},
                                                       {"model.leaky_slope", "inf"},
                                                       {"model.elu_alpha", "0"},
                                                       {"model.elu_alpha", "-1"},
                                                       {"model.elu_alpha", "nan"},
                                                       {"model.outputs", "-1"},
                                                       {"data.seed", "-1"},
                                                       {"data.folds", "-1"},
                                                       {"data.fold", "-1"}};
  for (const auto& [key, value] : cases) {
    SCOPED_TRACE(value);
    expect_error("", {std::string(key) + "=" + value}, {"--set: ", key, "expected"});
  }
}

TEST(RunConfig, AnOptimizersValueOutOfRangeIsAnErrorThatSaysWhatIsExpected) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"adam", "train.beta1", "1"},     {"adamw", "train.beta2", "1"},
      {"adam", "train.beta2", "-1"},    {"adamw", "train.epsilon", "0"},
      {"adam", "train.epsilon", "nan"}, {"lars", "train.trust_coefficient", "0"}};
  for (const auto& [optimizer, key, value] : cases)
    expect_error("", {std::string("train.optimizer=") + optimizer, std::string(key) + "=" + value},
                 {"--set: ", key, "expected"});
}

TEST(RunConfig, ANameThatIsNoChoiceIsAnErrorThatListsThem) {
  for (const std::string key : {"model.activation", "model.output_activation"})
    expect_error("", {key + "=swish"},
                 {key, "swish", "sigmoid", "tanh", " relu", "leaky_relu", "elu", "gelu", "identity"});
  expect_error("", {"model.loss=hinge"},
               {"model.loss", " cross_entropy", "binary_cross_entropy", " mse", "half_mse"});
  expect_error("", {"data.shuffle=all"}, {"data.shuffle", "shards", "none"});
  expect_error("", {"data.dataset=imagenet"},
               {"data.dataset", "cifar10", "synthetic", "csv", "circle", "xor", "gaussian", "spiral",
                "flower", "function"});
  expect_error("", {"train.schedule=linear"}, {"train.schedule", "constant", "step", "cosine", "triangular"});
  expect_error("", {"train.optimizer=rmsprop"}, {"train.optimizer", "sgd", "adam", "adamw", "lars"});
  expect_error("", {"reduce.mode=half"}, {"reduce.mode", "float"});
  expect_error("", {"reduce.wire=fp8"}, {"reduce.wire", "full", "int16", "bf16"});
}

TEST(RunConfig, AWireBelongsToItsMode) {
  expect_error("", {"reduce.update=twice"}, {"reduce.update", "divided", "everywhere"});
  expect_error("", {"reduce.levels=three"}, {"reduce.levels", "auto", "one", "two"});
  expect_error("", {"reduce.levels=two", "reduce.shared_memory=false"},
               {R"(reduce.levels is "two", expected "one")", "reduce.shared_memory = false"});
  EXPECT_EQ(parse("", "run.toml", {}).reduce.update, reduce::Update::kAuto);
  EXPECT_EQ(parse("", "run.toml", {"reduce.levels=one"}).reduce.update, reduce::Update::kDivided);
  EXPECT_EQ(parse("", "run.toml", {"reduce.update=everywhere"}).reduce.update, reduce::Update::kEverywhere);
  EXPECT_EQ(parse("", "run.toml", {"reduce.levels=one"}).reduce.levels, reduce::Levels::kOne);
  expect_error("", {"reduce.wire=bf16"}, {R"(reduce.wire is "bf16", expected "full" or "int16")", "exact"});
  expect_error("", {"reduce.mode=float", "reduce.wire=int16"},
               {R"(reduce.wire is "int16", expected "full" or "bf16")", "float"});
  EXPECT_EQ(parse("", "run.toml", {"reduce.wire=int16"}).reduce.wire, reduce::Wire::kInt16);
  EXPECT_EQ(parse("", "run.toml", {"reduce.mode=float", "reduce.wire=bf16"}).reduce.wire,
            reduce::Wire::kBf16);
}

TEST(RunConfig, TextThatIsNoTomlIsAnErrorThatNamesTheLine) {
  expect_error("seed = 1\n[data\nshards = 3\n", {}, {"run.toml:2"});
  expect_error("seed = 1\nseed = 2\n", {}, {"run.toml:2"});
  expect_error("a = \"unterminated\n", {}, {"run.toml:1"});
  expect_error("just words\n", {}, {"run.toml:1"});
}

TEST(RunConfig, ABatchThatTheShardsDoNotDivideIsAnError) {
  expect_error("[train]\nbatch_size = 100\n", {},
               {"run.toml:2", "train.batch_size is 100", "data.shards", "8"});
  expect_error("", {"data.shards=7"}, {"train.batch_size is 128", "7"});
  EXPECT_EQ(parse("", "run.toml", {"data.shards=7", "train.batch_size=21"}).train.batch_size, 21U);
}

TEST(RunConfig, NesterovNeedsMomentum) {
  expect_error("[train]\nnesterov = true\n", {}, {"run.toml:2", "train.nesterov", "train.momentum"});
  EXPECT_TRUE(parse("", "run.toml", {"train.nesterov=true", "train.momentum=0.9"}).train.optimizer.nesterov);
}

TEST(RunConfig, ResolvedHasEveryKeyThatHasAnEffectWithItsValue) {
  const auto values = resolved("[train]\nepochs = 3\n", {"model.loss=mse"});
  EXPECT_EQ(values.at("seed"), 1);
  EXPECT_EQ(values.at("train").at("epochs"), 3);
  EXPECT_EQ(values.at("model").at("loss"), "mse");
  EXPECT_EQ(values.at("model").at("hidden"), (ordered_json{100}));
  for (const char* key :
       {"hidden", "activation", "dropout", "output_activation", "init", "bias_init", "loss", "outputs"})
    EXPECT_TRUE(values.at("model").contains(key)) << key;
  for (const char* key :
       {"dataset", "dir", "shards", "shuffle", "normalize", "train_samples", "test_samples"})
    EXPECT_TRUE(values.at("data").contains(key)) << key;
  for (const char* key :
       {"epochs", "batch_size", "learning_rate", "momentum", "nesterov", "l2", "schedule", "init_from"})
    EXPECT_TRUE(values.at("train").contains(key)) << key;
}

TEST(RunConfig, ResolvedValuesAsTomlResolveToThemselves) {
  const Overrides variants[] = {
      {},
      {"model.hidden=[]", "log.steps=true", "train.learning_rate=1e-7", "train.l2=1e20"},
      {"train.learning_rate=0.1", "train.momentum=0.30000000000000004", "train.nesterov=true", "train.l2=1"},
      {"data.dir=\"a \\\"quoted\\\" \\\\ folder\\n\"", "model.init=normal(0.5)", "data.shuffle=none"},
      {"seed=9223372036854775807", "data.dir=\u00fcber/#no comment", "model.hidden=[1, 2, 3]"},
      {"data.augment.flip=random", "data.augment.shift=2", "model.layers=[{units=5}, {type=\"tanh\"}, {}]"}};
  for (const Overrides& overrides : variants) {
    const auto values = resolved("", overrides);
    EXPECT_EQ(resolved(to_toml(values)), values) << to_toml(values);
  }
}

TEST(RunConfig, ASectionMayHaveSections) {
  for (const char* text : {"[data.augment]\nshift = 3\nflip = \"random\"\n",
                           "[data]\naugment.shift = 3\naugment.flip = \"random\"\nshards = 8\n",
                           "[data]\naugment = { shift = 3, flip = \"random\" }\n"}) {
    const auto config = parse(text, "run.toml", {"data.augment.cutout=2"});
    EXPECT_EQ(config.data.augment.shift, 3U);
    EXPECT_EQ(config.data.augment.flip, data::Flip::kRandom);
    EXPECT_EQ(config.data.augment.cutout, 2U);
    const auto values = resolved(text);
    EXPECT_EQ(values.at("data").at("augment").at("shift"), 3);
    EXPECT_EQ(as_read_now(values, "run.toml"), values);
    EXPECT_NE(to_toml(values).find("\n[data.augment]\nflip = \"random\"\n"), std::string::npos);
  }
  expect_error("[data.augment]\nshfit = 3\n", {}, {"run.toml:2", "data.augment.shfit", "data.augment.shift"});
  expect_error("[data]\naugment = \"random\"\n", {}, {"run.toml:2", "unknown key data.augment"});
  expect_error("[data.augment]\nflip = true\n", {},
               {"run.toml:2", "data.augment.flip", "none, random, alternate"});
  expect_error("", {"data.augment.shift=-1"}, {"--set", "data.augment.shift", "at least 0"});
}

}  // namespace
}  // namespace lockstep::config
