// The data set in the configuration: which keys each of them has.
#include <gtest/gtest.h>

#include <set>

#include "config/expect_error.h"

namespace lockstep::config {
namespace {

using test::expect_error;
using test::Overrides;
using test::resolved;

data::DataOptions data_of(const std::string& text, const Overrides& overrides = {}) {
  return parse(text, "run.toml", overrides).data;
}

const std::set<std::string> kOfAll = {"dataset",   "folds",         "shards",       "shuffle",
                                      "normalize", "train_samples", "test_samples", "stratify"};
const std::set<std::string> kPlanarKeys = {"n", "noise", "test_fraction", "seed"};
const std::set<std::string> kFunctionKeys = {"n", "noise", "function", "test_fraction", "seed"};
const std::set<std::string> kCsvKeys = {
    "file",       "test_file", "header",          "target",       "task",          "columns", "ignore",
    "categories", "missing",   "unseen_category", "target_scale", "test_fraction", "image"};

const std::set<std::string> kNumpyKeys = {"file",   "test_file",     "features",
                                          "target", "test_features", "test_target",
                                          "task",   "image",         "test_fraction"};

std::set<std::string> keys_of(const std::string& dataset) {
  if (dataset == "cifar10" || dataset.ends_with("mnist")) return {"dir"};
  if (dataset == "cifar100") return {"dir", "label_mode"};
  if (dataset == "images") return {"dir", "image", "test_fraction"};
  if (dataset == "numpy") return kNumpyKeys;
  if (dataset == "synthetic") return {};
  if (dataset == "csv") return kCsvKeys;
  return dataset == "function" ? kFunctionKeys : kPlanarKeys;
}

// A value that each key takes.
std::string value_of(const std::string& key) {
  if (key == "n" || key == "seed") return "10";
  if (key == "noise" || key == "test_fraction") return "0.5";
  if (key == "function") return "kink";
  if (key == "image") return "[1, 2, 2]";
  if (key == "header") return "no";
  if (key == "label_mode") return "coarse";
  if (key == "missing") return "drop";
  if (key == "unseen_category") return "zeros";
  if (key == "target_scale") return "mean_std";
  return key == "task" ? "regression" : "x";
}

TEST(DataConfig, EachSetHasItsOwnKeys) {
  for (const std::string dataset : data::kDatasetNames) {
    SCOPED_TRACE(dataset);
    const auto values = resolved("", {"data.dataset=" + dataset}).at("data");
    std::set<std::string> found, expected = keys_of(dataset);
    expected.insert(kOfAll.begin(), kOfAll.end());
    const bool images = keys_of(dataset).contains("dir") || dataset == "synthetic" || dataset == "numpy";
    if (images) expected.insert("augment");
    for (const auto& [key, value] : values.items()) found.insert(key);
    EXPECT_EQ(found, expected);
  }
}

TEST(DataConfig, TheKeysOfOtherSetsHaveNoEffect) {
  std::set<std::string> all = kCsvKeys;
  all.insert(kFunctionKeys.begin(), kFunctionKeys.end());
  all.insert(kNumpyKeys.begin(), kNumpyKeys.end());
  all.insert({"dir", "label_mode"});
  for (const std::string dataset : data::kDatasetNames) {
    SCOPED_TRACE(dataset);
    const auto own = keys_of(dataset);
    for (const std::string& key : all) {
      const Overrides overrides = {"data.dataset=" + dataset, "data." + key + "=" + value_of(key)};
      if (own.contains(key))
        EXPECT_NO_THROW(data_of("", overrides)) << key;
      else
        expect_error("", overrides, {"--set: data." + key + " has no effect", "expected"});
    }
  }
  expect_error("[data]\nn = 20\n", {},
               {"run.toml:2: data.n has no effect where data.dataset is \"cifar10\""});
}

TEST(DataConfig, MadeUpSetsHaveTheirDefaults) {
  for (const std::string dataset : {"circle", "xor", "gaussian", "spiral", "flower", "function"}) {
    const data::DataOptions data = data_of("", {"data.dataset=" + dataset}), defaults;
    EXPECT_EQ(data.dataset, dataset);
    EXPECT_EQ(data.n, defaults.n);
    EXPECT_EQ(data.noise, 0.0);
    EXPECT_EQ(data.seed, defaults.seed);
    EXPECT_EQ(data.function, data::Function::kSine);
    EXPECT_EQ(data.test_fraction, 0.5);  // half of what is made
    EXPECT_EQ(data.folds, 0U);
  }
}

TEST(DataConfig, EveryKeyOfAFunctionArrives) {
  const auto data = data_of(R"toml(
[data]
dataset = "function"
function = "kink"
n = 60
noise = 0.25
seed = 9
test_fraction = 0.125
folds = 5
fold = 4
normalize = "none"
)toml");
  EXPECT_EQ(data.function, data::Function::kKink);
  EXPECT_EQ(data.n, 60U);
  EXPECT_EQ(data.noise, 0.25);
  EXPECT_EQ(data.seed, 9U);
  EXPECT_EQ(data.test_fraction, 0.125);
  EXPECT_EQ(data.folds, 5U);
  EXPECT_EQ(data.fold, 4U);
}

TEST(DataConfig, EveryKeyOfCsvArrives) {
  const auto data = data_of(R"toml(
[data]
dataset = "csv"
file = "some folder/train.csv"
test_file = "test.csv"
header = "yes"
target = "price"
task = "regression"
test_fraction = 0.25
columns = ["a", 3]
ignore = "id"
categories = ["zip"]
missing = "mean"
unseen_category = "zeros"
target_scale = "mean_std"
stratify = true
)toml");
  EXPECT_EQ(data.columns, (std::vector<std::string>{"a", "3"}));
  EXPECT_EQ(data.ignore, (std::vector<std::string>{"id"}));
  EXPECT_EQ(data.categories, (std::vector<std::string>{"zip"}));
  EXPECT_EQ(data.missing, data::Missing::kMean);
  EXPECT_EQ(data.unseen_category, data::UnseenCategory::kZeros);
  EXPECT_EQ(data.target_scale, data::TargetScale::kMeanStd);
  EXPECT_TRUE(data.stratify);
  EXPECT_EQ(data.file, "some folder/train.csv");
  EXPECT_EQ(data.test_file, "test.csv");
  EXPECT_EQ(data.header, data::Header::kYes);
  EXPECT_EQ(data.target, "price");
  EXPECT_EQ(data.task, data::Task::kRegression);
  EXPECT_EQ(data.test_fraction, 0.25);

  const auto plain = data_of("", {"data.dataset=csv", "data.header=no", "data.target=3"});
  EXPECT_EQ(plain.target, "3");
  EXPECT_EQ(plain.header, data::Header::kNo);
  EXPECT_EQ(plain.task, data::Task::kClassification);
  EXPECT_EQ(plain.test_fraction, 0.0);
  EXPECT_EQ(data_of("", {"data.dataset=csv"}).header, data::Header::kAuto);
}

TEST(DataConfig, EveryKeyOfFoldersAndArraysArrives) {
  const auto numpy = data_of(R"toml(
[data]
dataset = "numpy"
file = "train.npz"
test_file = "test.npz"
features = "images"
target = "digits"
test_features = "more images"
test_target = "more digits"
image = [1, 8, 8]
)toml");
  EXPECT_EQ(numpy.file, "train.npz");
  EXPECT_EQ(numpy.test_file, "test.npz");
  EXPECT_EQ(numpy.features, "images");
  EXPECT_EQ(numpy.target, "digits");
  EXPECT_EQ(numpy.test_features, "more images");
  EXPECT_EQ(numpy.test_target, "more digits");
  EXPECT_EQ(numpy.image, (std::vector<std::size_t>{1, 8, 8}));
  EXPECT_EQ(data_of("", {"data.dataset=cifar100"}).labels, data::Labels::kFine);
  const auto coarse =
      data_of("", {"data.dataset=cifar100", "data.label_mode=coarse", "data.dir=some/folder"});
  EXPECT_EQ(coarse.labels, data::Labels::kCoarse);
  EXPECT_EQ(coarse.dir, "some/folder");
}

TEST(DataConfig, WhatIsWrongIsNamedWithItsLine) {
  const std::tuple<const char*, const char*, const char*, const char*> cases[] = {
      {"circle", "n", "1", "an integer of at least 2"},
      {"circle", "n", "\"many\"", "an integer of at least 2"},
      {"xor", "noise", "-0.1", "a number of at least 0"},
      {"xor", "noise", "inf", "a number of at least 0"},
      {"spiral", "test_fraction", "1", "a number from 0 up to, not including, 1"},
      {"csv", "test_fraction", "-0.5", "a number from 0 up to, not including, 1"},
      {"csv", "file", "3", "a string"},
      {"csv", "test_file", "3", "a string"},
      {"csv", "header", "true", "one of auto, yes, no"},
      {"csv", "task", "\"ranking\"", "one of classification, regression"},
      {"cifar100", "label_mode", "\"middle\"", "one of fine, coarse"},
      {"numpy", "features", "1.5", "a string"},
      {"images", "dir", "3", "a string"},
      {"csv", "columns", "[1.5]", "a list of strings or integers"},
      {"csv", "ignore", "true", "a list of strings or integers"},
      {"csv", "missing", "\"median\"", "one of refuse, mean, drop"},
      {"csv", "unseen_category", "\"other\"", "one of refuse, zeros"},
      {"csv", "target_scale", "true", "one of none, mean_std"},
      {"circle", "stratify", "1", "true or false"},
      {"function", "function", "\"cosine\"", "one of sine, kink"}};
  for (const auto& [dataset, key, value, expected] : cases) {
    const std::string text =
        std::string("[data]\ndataset = \"") + dataset + "\"\n" + key + " = " + value + "\n";
    expect_error(text, {},
                 {std::string("run.toml:3: data.") + key + " is ", std::string("expected ") + expected});
  }
}

TEST(DataConfig, ResolvedValuesAsTomlResolveToThemselves) {
  for (const std::string dataset : data::kDatasetNames) {
    Overrides overrides = {"data.dataset=" + dataset, "data.folds=3"};
    for (const std::string& key : keys_of(dataset)) overrides.push_back("data." + key + "=" + value_of(key));
    const auto values = resolved("", overrides);
    EXPECT_EQ(resolved(to_toml(values)), values) << to_toml(values);
  }
}

}  // namespace
}  // namespace lockstep::config
