// What stands beside each key: whether it makes another experiment, and when it has an effect. Walks over all
// keys.
#include "config/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "config/expect_error.h"
#include "config/synonyms.h"

namespace lockstep::config {
namespace {

using test::expect_error;
using test::message_of;
using test::Overrides;
using test::resolved;

// A value of a key that is not its default, where it has an effect, and, for keys that have none with some
// values of others, those values.
struct Use {
  const char* key;
  const char* value;
  Overrides with = {};
  std::optional<Overrides> without = {};  // none: it always has an effect
};

const char* const kLayers = R"(model.layers=[{units=5, init="he", bias_init="zeros"}, {type="tanh"},
                              {init="he", bias_init="zeros"}])";
const Overrides kCsv = {"data.dataset=csv"}, kPoints = {"data.dataset=circle"},
                kImages = {"data.dataset=synthetic"}, kArrays = {"data.dataset=numpy"},
                kFunction = {"data.dataset=function"};

const std::vector<Use>& uses() {
  static const std::vector<Use> all = {
      {"seed", "2"},
      {"data.dataset", "synthetic"},
      {"data.dir", "some/where", {}, kImages},
      {"data.n", "20", kPoints, kImages},
      {"data.noise", "0.1", kFunction, kCsv},
      {"data.function", "kink", kFunction, kPoints},
      {"data.file", "a.csv", kCsv, Overrides{}},
      {"data.test_file", "b.csv", kCsv, kPoints},
      {"data.label_mode", "coarse", {"data.dataset=cifar100"}, Overrides{}},
      {"data.features", "x", kArrays, kCsv},
      {"data.test_features", "x2", kArrays, kPoints},
      {"data.test_target", "y2", kArrays, Overrides{}},
      {"data.header", "yes", kCsv, kFunction},
      {"data.target", "y", kCsv, kImages},
      {"data.task", "regression", kCsv, Overrides{}},
      {"data.columns", "a", kCsv, kPoints},
      {"data.ignore", "[\"id\", 3]", kCsv, kImages},
      {"data.categories", "zip", kCsv, kFunction},
      {"data.missing", "mean", kCsv, Overrides{}},
      {"data.unseen_category", "zeros", kCsv, kPoints},
      {"data.target_scale", "mean_std", kCsv, kFunction},
      {"data.image", "[1, 2, 2]", kCsv, kPoints},
      {"data.stratify", "true"},
      {"data.test_fraction", "0.25", kCsv, Overrides{}},
      {"data.folds", "3"},
      {"data.fold", "1", {"data.folds=3"}, Overrides{}},
      {"data.seed", "7", {"data.folds=3"}, kCsv},
      {"data.shards", "4"},
      {"data.shuffle", "none"},
      {"data.normalize", "scale"},
      {"data.train_samples", "100"},
      {"data.test_samples", "100"},
      {"data.augment.flip", "alternate", kImages, kPoints},
      {"data.augment.shift", "2", {}, kFunction},
      {"data.augment.shift_padding", "zero", {"data.augment.shift=1"}, Overrides{}},
      {"data.augment.cutout", "8", {"data.dataset=csv", "data.image=[1, 9, 9]"}, kCsv},
      {"model.layers", "[{}]"},
      {"model.hidden", "[7]", {}, Overrides{kLayers}},
      {"model.activation", "relu", {}, Overrides{"model.hidden=[]"}},
      {"model.dropout", "0.5", {}, Overrides{kLayers}},
      {"model.output_activation", "tanh", {"model.loss=mse"}, Overrides{kLayers, "model.loss=mse"}},
      {"model.leaky_slope", "0.3", {"model.activation=leaky_relu"}, Overrides{"model.activation=relu"}},
      {"model.elu_alpha", "2", {"model.layers=[{units=3}, {type=\"elu\"}, {}]"}, Overrides{kLayers}},
      {"model.init", "he", {}, Overrides{kLayers}},
      {"model.bias_init",
       "normal(0.1)",
       {},
       Overrides{"model.layers=[{units=5, bias=false}, {type=\"tanh\"}, {bias=false}]"}},
      {"model.loss", "mse"},
      {"model.outputs", "1"},
      {"train.epochs", "3", {"train.schedule=cosine"}},
      {"train.batch_size", "256"},
      {"train.learning_rate", "0.04"},
      {"train.label_smoothing", "0.1", {}, Overrides{"model.loss=mse"}},
      {"train.optimizer", "adamw"},
      {"train.momentum", "0.9", {}, Overrides{"train.optimizer=adam"}},
      {"train.nesterov", "true", {"train.momentum=0.5"}, Overrides{"train.optimizer=adamw"}},
      {"train.beta1", "0.8", {"train.optimizer=adam"}, Overrides{}},
      {"train.beta2", "0.99", {"train.optimizer=adamw"}, Overrides{"train.optimizer=lars"}},
      {"train.epsilon", "0.1", {"train.optimizer=adam"}, Overrides{"train.momentum=0.9"}},
      {"train.trust_coefficient", "0.1", {"train.optimizer=lars"}, Overrides{"train.optimizer=adam"}},
      {"train.scale_rate", "linear"},
      {"train.base_batch_size", "32", {"train.scale_rate=sqrt"}, Overrides{}},
      {"train.clip_norm", "1"},
      {"train.average_decay", "0.9"},
      {"train.l2", "0.1"},
      {"train.weight_decay", "0.1"},
      {"train.schedule", "step"},
      {"train.warmup_epochs", "1"},
      {"train.step_epochs", "3", {"train.schedule=step"}, Overrides{"train.schedule=cosine"}},
      {"train.step_factor", "0.5", {"train.schedule=step"}, Overrides{}},
      {"train.initial_learning_rate",
       "0.01",
       {"train.schedule=triangular"},
       Overrides{"train.schedule=cosine"}},
      {"train.final_learning_rate", "0.01", {"train.schedule=cosine"}, Overrides{"train.schedule=step"}},
      {"train.check_replicas_every", "3"},
      {"train.max_seconds", "3"},
      {"train.patience", "3"},
      {"train.monitor", "train_loss"},
      {"train.init_from", "a.safetensors"},
      {"eval.views", "flip", kImages, kPoints},
      {"eval.every_epochs", "2"},
      {"reduce.mode", "float"},
      {"reduce.wire", "int16"},
      {"reduce.overlap", "always"},
      {"reduce.bucket_bytes", "4096"},
      {"reduce.shared_memory",
       "false",
       {"reduce.overlap=always"},
       Overrides{"reduce.overlap=always", "reduce.update=everywhere"}},
      {"reduce.update", "everywhere"},
      {"reduce.levels", "one", {}, Overrides{"reduce.update=everywhere"}},
      {"compute.threads", "3"},
      {"compute.kernels", "portable"},
      {"compute.balance", "true"},
      {"checkpoint.every_epochs", "3"},
      {"checkpoint.every_steps", "3"},
      {"checkpoint.keep", "7"},
      {"run.watchdog_seconds", "3"},
      {"log.steps", "true"},
      {"log.gradients", "true"},
      {"log.layers", "true"},
      {"log.film", "true"},
      {"log.json", "true"},
      {"log.tensorboard", "true"},
  };
  return all;
}

Overrides with(Overrides settings, const Use& use) {
  settings.push_back(std::string(use.key) + "=" + use.value);
  return settings;
}

TEST(Keys, EachHasAUseInThisTest) {
  for (const Key& key : keys_of_runs())
    EXPECT_TRUE(std::ranges::any_of(uses(), [&](const Use& use) { return key.name == use.key; })) << key.name;
  EXPECT_EQ(keys_of_runs().size(), uses().size());
}

TEST(Keys, AreOfAnotherExperimentExactlyWhereTheyAreMeantToBe) {
  for (const Use& use : uses()) {
    SCOPED_TRACE(use.key);
    const auto before = resolved("", use.with), after = resolved("", with(use.with, use));
    EXPECT_NE(before, after);
    const auto different = different_keys(after, before);
    if (find_key(keys_of_runs(), use.key)->role == Role::kExecution) {
      EXPECT_EQ(different, std::vector<std::string>{});
    } else {
      ASSERT_FALSE(different.empty());
      EXPECT_TRUE(std::ranges::any_of(different, [&](const std::string& key) {
        return (key + ".").starts_with(std::string(use.key) + ".");
      }));
    }
  }
}

TEST(Keys, WithoutAnEffectAreRefusedWhereverTheyStand) {
  for (const Use& use : uses()) {
    const Key& key = *find_key(keys_of_runs(), use.key);
    SCOPED_TRACE(use.key);
    EXPECT_EQ(static_cast<bool>(key.why_not), use.without.has_value());
    if (!use.without) continue;
    expect_error("", with(*use.without, use), {std::string("--set: ") + use.key, "expected"});
    // The same in a file, whose sections are tables of dotted keys.
    std::string text;
    for (const std::string& setting : with(*use.without, use)) {
      const std::size_t equals = setting.find('=');
      std::string value = setting.substr(equals + 1);
      const bool bare =
          value == "true" || value == "false" || value.find_first_not_of("0123456789.") == std::string::npos;
      if (!bare && value[0] != '[') value = '"' + value + '"';
      text += setting.substr(0, equals) + " = " + value + "\n";
    }
    expect_error(text, {}, {std::string(use.key), "expected"});
  }
}

TEST(Keys, OfAFileAreLeftOutWhereAnOverrideHasDecidedOtherwise) {
  const std::string csv = "[data]\ndataset = \"csv\"\nfile = \"a.csv\"\ntarget = \"y\"\n";
  const auto values = resolved(csv, {"data.dataset=synthetic"});
  EXPECT_FALSE(values.at("data").contains("file"));
  EXPECT_EQ(values.at("data").at("dataset"), "synthetic");
  const std::string stepping = "[train]\nschedule = \"step\"\nstep_epochs = 3\n";
  EXPECT_FALSE(resolved(stepping, {"train.schedule=cosine"}).at("train").contains("step_epochs"));
  EXPECT_EQ(resolved("[data]\ndir = \"d\"\n", {"data.dataset=synthetic"}).at("data").contains("dir"), false);
  // What the command line says itself is meant.
  expect_error(
      csv, {"data.dataset=synthetic", "data.file=b.csv"},
      {R"(--set: data.file has no effect where data.dataset is "synthetic", expected data.dataset = "csv")"});
  expect_error(csv, {"data.n=20"}, {"--set: data.n has no effect where data.dataset is \"csv\""});
}

TEST(Keys, OfASearchsSetAreLeftOutWhereAParameterDecidesOtherwise) {
  nlohmann::ordered_json values;
  const std::vector<std::string> origins = {"sweep.toml:3", "sweep.toml:5"};
  parse("", "run.toml", {"model.leaky_slope=0.3", "model.activation=relu"}, &values, origins);
  EXPECT_FALSE(values.at("model").contains("leaky_slope"));
  EXPECT_NE(message_of<ConfigError>([&] {
              parse("", "run.toml", {"train.schedule=cosine", "train.step_epochs=3"}, nullptr, origins);
            }).find("sweep.toml:5: train.step_epochs has no effect where train.schedule is \"cosine\""),
            std::string::npos);
}

TEST(Keys, WithTheirDefaultAreAcceptedWithoutAnEffectToo) {
  const auto values =
      resolved("", {"data.n=400", "train.step_epochs=10", "model.leaky_slope=0.1", "data.seed=1"});
  EXPECT_EQ(values, resolved(""));
}

TEST(Keys, AnUnknownOneCountsUnlessItsSectionHasNoneThatDoes) {
  EXPECT_TRUE(matters("train.unheard", resolved("")));
  EXPECT_TRUE(matters("unheard", resolved("")));
  EXPECT_FALSE(matters("compute.unheard", resolved("")));
}

TEST(AsReadNow, HasTheDefaultsOfLaterKeysAndForgetsWhatNoNumbersDependOn) {
  auto saved = resolved("", {"compute.threads=3", "train.learning_rate=0.2"});
  saved["train"].erase("warmup_epochs");      // of a version without it
  saved["train"]["step_epochs"] = 10;         // of one that kept what has no effect
  saved["compute"]["kernels"] = "forgotten";  // of one with other values
  const auto now = as_read_now(saved, "x");
  EXPECT_EQ(different_keys(resolved("", {"train.learning_rate=0.2"}), now), std::vector<std::string>{});
  EXPECT_EQ(now.at("compute"), resolved("").at("compute"));
  saved["train"]["unheard"] = 1;
  EXPECT_NE(message_of<ConfigError>([&] { as_read_now(saved, "x"); }).find("train.unheard"),
            std::string::npos);
}

TEST(Synonyms, OfOtherProgramsLeadToTheKey) {
  const std::pair<const char*, const char*> cases[] = {{"lr", "train.learning_rate"},
                                                       {"train.lr", "train.learning_rate"},
                                                       {"learning_rate", "train.learning_rate"},
                                                       {"batch", "train.batch_size"},
                                                       {"batch_size", "train.batch_size"},
                                                       {"train.batch", "train.batch_size"},
                                                       {"epochs", "train.epochs"},
                                                       {"train.num_epochs", "train.epochs"},
                                                       {"train.wd", "train.weight_decay"},
                                                       {"train.l2_reg", "train.l2"},
                                                       {"optimizer", "train.optimizer"},
                                                       {"train.eps", "train.epsilon"},
                                                       {"train.max_grad_norm", "train.clip_norm"},
                                                       {"train.ema_decay", "train.average_decay"},
                                                       {"model.units", "model.hidden"},
                                                       {"hidden_units", "model.hidden"},
                                                       {"model.hidden_size", "model.hidden"},
                                                       {"data.csv", "data.file"},
                                                       {"data.horizontal_flip", "data.augment.flip"},
                                                       {"data.augment.random_crop", "data.augment.shift"},
                                                       {"eval.tta_level", "eval.views"},
                                                       {"random_state", "seed"},
                                                       {"train.seed", "seed"},
                                                       {"train.LR", "train.learning_rate"},
                                                       {"data.test_size", "data.test_fraction"}};
  for (const auto& [found, key] : cases)
    expect_error("", {std::string(found) + "=3"},
                 {std::string("--set: unknown key ") + found + ", did you mean " + key + "?"});
  expect_error("", {"model.layers=[{out_features=3}, {}]"},
               {"unknown key model.layers[0].out_features, did you mean units?"});
  expect_error("", {"device=cuda"}, {"--set: unknown key device: ", "launch/run -np P"});
  expect_error("", {"data.num_workers=4"}, {"--set: unknown key data.num_workers: "});
  expect_error("", {"train.betas=[0.9,0.99]"}, {"--set: unknown key train.betas: ", "train.beta1"});
}

TEST(DecidingValues, AreThoseOfTheExperimentAndOfItsEnd) {
  const auto with = [](const Overrides& keys) { return deciding_values(resolved("", keys)); };
  const auto usual = with({});
  EXPECT_EQ(usual.at("train.epochs"), "10");
  EXPECT_EQ(usual.at("model.hidden.0"), "100");
  for (const char* key : {"data.dir", "compute.threads", "train.patience", "eval.every_epochs", "log.steps"})
    EXPECT_FALSE(usual.contains(key)) << key;
  EXPECT_EQ(with({"data.dir=elsewhere", "compute.threads=3", "checkpoint.keep=1"}), usual);
  EXPECT_NE(with({"train.epochs=11"}), usual);
  EXPECT_NE(with({"train.learning_rate=0.3"}), usual);
  const auto patient = with({"train.patience=2"});
  for (const char* key : {"train.patience", "train.monitor", "eval.every_epochs"})
    EXPECT_TRUE(patient.contains(key)) << key;
}

}  // namespace
}  // namespace lockstep::config
