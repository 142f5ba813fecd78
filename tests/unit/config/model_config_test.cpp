// The network in the configuration: its short form, its list of layers, and what contradicts itself.
#include <gtest/gtest.h>

#include "config/expect_error.h"

namespace lockstep::config {
namespace {

using kernels::Activation;
using nlohmann::ordered_json;
using test::expect_error;
using test::Overrides;
using test::resolved;
using Kind = nn::LayerOptions::Kind;

nn::ModelOptions model(const std::string& text, const Overrides& overrides = {}) {
  return parse(text, "run.toml", overrides).model;
}

TEST(ModelConfig, HasTheDefaultsOfItsOptions) {
  const nn::ModelOptions found = model(""), defaults;
  EXPECT_EQ(found.dropout, 0.0);
  EXPECT_EQ(found.output_activation, Activation::kIdentity);
  EXPECT_TRUE(found.layers.empty());
  EXPECT_EQ(found.activation_parameters.leaky_slope, defaults.activation_parameters.leaky_slope);
  EXPECT_EQ(found.activation_parameters.elu_alpha, defaults.activation_parameters.elu_alpha);
  EXPECT_EQ(found.outputs, 0U);
  EXPECT_EQ(found.init, "glorot");
  EXPECT_EQ(found.bias_init, "zeros");
}

TEST(ModelConfig, EveryKeyArrives) {
  const nn::ModelOptions found = model(R"toml(
[model]
hidden = [5]
activation = "elu"
dropout = 0.25
output_activation = "leaky_relu"
leaky_slope = 0
elu_alpha = 2
init = "uniform(0.5)"
bias_init = "normal(0.125)"
loss = "mse"
outputs = 1
)toml");
  EXPECT_EQ(found.activation, Activation::kElu);
  EXPECT_EQ(found.dropout, 0.25);
  EXPECT_EQ(found.output_activation, Activation::kLeakyRelu);
  EXPECT_EQ(found.activation_parameters.leaky_slope, 0.0);
  EXPECT_EQ(found.activation_parameters.elu_alpha, 2.0);
  EXPECT_EQ(found.init, "uniform(0.5)");
  EXPECT_EQ(found.bias_init, "normal(0.125)");
  EXPECT_EQ(found.outputs, 1U);
}

TEST(ModelConfig, AnInitializerThatIsNoneIsRefused) {
  expect_error(
      "[model]\ninit = \"xavier\"\n", {},
      {"run.toml:2: model.init is \"xavier\"", "expected \"glorot\"", "\"uniform(A)\"", "\"zeros\""});
  expect_error("[model]\n\nbias_init = \"he\"\n", {},
               {"run.toml:3: model.bias_init is \"he\"", "expected \"zeros\"", "\"uniform(A)\""});
  expect_error("", {"model.init=uniform(-1)"}, {"--set: model.init is \"uniform(-1)\"", "A at least 0"});
}

constexpr const char* kFiveLayers = R"toml(
[[model.layers]]
type = "dropout"
rate = 0.125
[[model.layers]]
units = 7
bias = false
init = "he"
[[model.layers]]
type = "leaky_relu"
[[model.layers]]
type = "dropout"
[[model.layers]]
type = "dense"
bias_init = "uniform(0.5)"
)toml";
constexpr const char* kTheSameInline =
    "model.layers=[{type=\"dropout\", rate=0.125}, {units=7, bias=false, init=\"he\"}, "
    "{type=\"leaky_relu\"}, "
    "{type=\"dropout\"}, {type=\"dense\", bias_init=\"uniform(0.5)\"}]";

void expect_those_layers(const std::vector<nn::LayerOptions>& layers) {
  ASSERT_EQ(layers.size(), 5U);
  EXPECT_EQ(layers[0].kind, Kind::kDropout);
  EXPECT_EQ(layers[0].rate, 0.125);
  EXPECT_EQ(layers[1].kind, Kind::kDense);
  EXPECT_EQ(layers[1].units, 7U);
  EXPECT_FALSE(layers[1].bias);
  EXPECT_EQ(layers[1].init, "he");
  EXPECT_EQ(layers[1].bias_init, "");
  EXPECT_EQ(layers[2].kind, Kind::kActivation);
  EXPECT_EQ(layers[2].activation, Activation::kLeakyRelu);
  EXPECT_EQ(layers[3].kind, Kind::kDropout);
  EXPECT_EQ(layers[3].rate, 0.5);
  EXPECT_EQ(layers[4].kind, Kind::kDense);
  EXPECT_EQ(layers[4].units, 0U);
  EXPECT_TRUE(layers[4].bias);
  EXPECT_EQ(layers[4].init, "");
  EXPECT_EQ(layers[4].bias_init, "uniform(0.5)");
}

TEST(ModelConfig, LayersArriveFromTheFileAndFromTheCommandLine) {
  expect_those_layers(model(kFiveLayers).layers);
  expect_those_layers(model("", {kTheSameInline}).layers);
  expect_those_layers(model(kTheSameInline).layers);  // an inline array in the file: model.layers = [...]
  EXPECT_EQ(resolved("", {kTheSameInline}), resolved(kFiveLayers));
}

TEST(ModelConfig, LayersOfTheCommandLineReplaceThoseOfTheFile) {
  const auto layers = model(kFiveLayers, {"model.layers=[{}]"}).layers;
  ASSERT_EQ(layers.size(), 1U);
  EXPECT_EQ(layers[0].kind, Kind::kDense);
  const nn::ModelOptions none = model(kFiveLayers, {"model.layers=[]", "model.hidden=[3]"});
  EXPECT_TRUE(none.layers.empty());
  EXPECT_EQ(none.hidden, std::vector<std::size_t>{3});
}

TEST(ModelConfig, AKeyOfALayerCanBeSetByItsNumber) {
  const Overrides overrides = {"model.layers.1.units=9", "model.layers.3.rate=0.75",
                               "model.layers.2.type=tanh"};
  const auto layers = model(kFiveLayers, overrides).layers;
  ASSERT_EQ(layers.size(), 5U);
  EXPECT_EQ(layers[0].rate, 0.125);  // as it was
  EXPECT_EQ(layers[1].units, 9U);
  EXPECT_EQ(layers[1].init, "he");
  EXPECT_EQ(layers[2].activation, Activation::kTanh);
  EXPECT_EQ(layers[3].rate, 0.75);
  EXPECT_EQ(model("", {kTheSameInline, "model.layers.1.units=9"}).layers[1].units, 9U);
  expect_error(kFiveLayers, {"model.layers.1.units=-1"}, {"--set: model.layers[1].units is -1"});
  expect_error(kFiveLayers, {"model.layers.1.unit=3"},
               {"--set: unknown key model.layers[1].unit, did you mean units?"});
  expect_error(kFiveLayers, {"model.layers.5.units=3"},
               {"--set model.layers.5.units: model.layers has 5 tables"});
  expect_error(std::string(kFiveLayers) + "units = -2\n", {"model.layers.1.units=9"},
               {"run.toml:16: model.layers[4].units is -2"});
}

TEST(ModelConfig, EveryActivationIsATypeOfLayer) {
  test::for_every<Activation>([](Activation f) {
    const auto layers =
        model("", {"model.layers=[{type=\"" + std::string(kernels::name(f)) + "\"}, {}]"}).layers;
    ASSERT_EQ(layers.size(), 2U);
    EXPECT_EQ(layers[0].kind, Kind::kActivation);
    EXPECT_EQ(layers[0].activation, f);
  });
}

TEST(ModelConfig, WhatIsWrongInALayerIsNamedWithItsLine) {
  const auto at = [](const std::string& line, std::initializer_list<std::string> parts) {
    expect_error("[[model.layers]]\nunits = 5\n\n[[model.layers]]\n" + line + "\n", {}, parts);
    expect_error("", {"model.layers=[{units=5}, {" + line + "}]"}, {"--set: ", *(parts.begin() + 1)});
  };
  at("type = \"softmax\"", {"run.toml:5: ", "model.layers[1].type is ", "softmax",
                            "expected one of dense, conv, max_pool,", "leaky_relu"});
  at("type = 3", {"run.toml:5: ", "model.layers[1].type is 3, expected one of dense, conv"});
  at("units = -1", {"run.toml:5: ", "model.layers[1].units is -1, expected an integer of at least 0"});
  at("units = 2.5", {"run.toml:5: ", "model.layers[1].units is 2.5, expected an integer"});
  at("bias = 1", {"run.toml:5: ", "model.layers[1].bias is 1, expected true or false"});
  at("init = \"xavier\"", {"run.toml:5: ", "model.layers[1].init is \"xavier\", expected \"glorot\""});
  at("init = 0", {"run.toml:5: ", "model.layers[1].init is 0, expected a string"});
  at("bias_init = \"glorot\"",
     {"run.toml:5: ", "model.layers[1].bias_init is \"glorot\", expected \"zeros\""});
}

TEST(ModelConfig, FactorsOfALayerArrive) {
  const auto layers = model(R"toml(
[[model.layers]]
units = 4
learning_rate_factor = 0.5
weight_decay_factor = 0
[[model.layers]]
units = 3
frozen = true
[[model.layers]]
[[model.layers]]
type = "batch_norm"
[[model.layers]]
type = "batch_norm"
weight_decay_factor = 1
)toml")
                          .layers;
  ASSERT_EQ(layers.size(), 5U);
  EXPECT_EQ(layers[0].learning_rate_factor, 0.5);
  EXPECT_EQ(layers[0].weight_decay_factor, 0.0);
  EXPECT_FALSE(layers[0].frozen);
  EXPECT_TRUE(layers[1].frozen);
  EXPECT_EQ(layers[2].learning_rate_factor, 1.0);
  EXPECT_EQ(layers[2].weight_decay_factor, 1.0);
  EXPECT_EQ(layers[3].weight_decay_factor, 0.0);
  EXPECT_EQ(layers[4].weight_decay_factor, 1.0);
  EXPECT_EQ(layers[1].decay_factor(), 0.0);
  EXPECT_EQ(layers[2].decay_factor(), 1.0);
}

TEST(ModelConfig, FactorsThatAreWrongOrHaveNoEffectAreRefused) {
  const auto refused = [](const std::string& layer, std::initializer_list<std::string> parts) {
    expect_error("", {"model.layers=[{units=3}, {" + layer + "}]"}, parts);
  };
  for (const char* factor : {"0", "-1", "nan", "1e30"})
    refused(std::string("learning_rate_factor=") + factor,
            {"--set: model.layers[1].learning_rate_factor is ", "expected a number above 0"});
  for (const char* factor : {"-1", "inf"})
    refused(std::string("weight_decay_factor=") + factor,
            {"--set: model.layers[1].weight_decay_factor is ", "expected a number of at least 0"});
  refused("frozen=1", {"--set: model.layers[1].frozen is 1, expected true or false"});
  for (const char* key : {"learning_rate_factor", "weight_decay_factor"})
    refused(std::string("frozen=true, ") + key + "=2",
            {std::string("--set: model.layers[1].") + key +
             " has no effect where model.layers[1].frozen is true"});
  refused("type=\"batch_norm\", frozen=true, weight_decay_factor=1",
          {"model.layers[1].weight_decay_factor has no effect where model.layers[1].frozen is true"});
  refused("type=\"relu\", frozen=true", {"--set: unknown key model.layers[1].frozen"});
  refused("trainable=false", {"--set: unknown key model.layers[1].trainable, did you mean frozen?"});
  expect_error("", {"model.layers=[{units=3, frozen=true}, {type=\"tanh\"}, {frozen=true}]"},
               {"--set: model.layers has frozen layers only, expected one that learns"});
}

TEST(ModelConfig, NamesAndAdditionsArriveAndAreResolvedWhereTheyAreSet) {
  const std::string text =
      "[[model.layers]]\nunits = 4\nname = \"stem\"\n[[model.layers]]\ntype = \"tanh\"\n"
      "[[model.layers]]\ntype = \"add\"\nfrom = \"stem\"\n[[model.layers]]\n";
  const auto layers = model(text).layers;
  ASSERT_EQ(layers.size(), 4U);
  EXPECT_EQ(layers[0].name, "stem");
  EXPECT_EQ(layers[1].name, "");
  EXPECT_EQ(layers[2].kind, Kind::kAdd);
  EXPECT_EQ(layers[2].from, "stem");
  const auto values = resolved(text).at("model").at("layers");
  EXPECT_EQ(values.at(0).at("name"), "stem");
  EXPECT_EQ(values.at(1), (ordered_json{{"type", "tanh"}}));
  EXPECT_EQ(values.at(2), (ordered_json{{"type", "add"}, {"from", "stem"}}));
  EXPECT_EQ(resolved(to_toml(resolved(text))), resolved(text));
}

TEST(ModelConfig, ADropoutLayersRateIsBelowOne) {
  for (const char* rate : {"1", "1.5", "-0.1", "nan", "\"half\""}) {
    const std::string table = std::string("type = \"dropout\"\nrate = ") + rate + "\n";
    expect_error(
        "[[model.layers]]\n" + table, {},
        {"run.toml:3: model.layers[0].rate is ", "expected a number from 0 up to, not including, 1"});
  }
  EXPECT_EQ(model("[[model.layers]]\ntype = \"dropout\"\nrate = 0\n").layers[0].rate, 0.0);
}

TEST(ModelConfig, AKeyThatALayersTypeDoesNotHaveIsUnknown) {
  const auto unknown = [](const std::string& table, const std::string& key, const std::string& rest) {
    expect_error("[[model.layers]]\n" + table + "\n", {},
                 {"run.toml:3: unknown key model.layers[0]." + key + ", " + rest});
  };
  unknown("type = \"dense\"\nunit = 3", "unit", "did you mean units?");
  unknown("type = \"dense\"\nrate = 0.5", "rate", "expected one of type, units, bias, init, bias_init");
  unknown("type = \"dropout\"\nunits = 3", "units", "expected one of type, rate");
  unknown("type = \"tanh\"\nrate = 0.5", "rate", "expected one of type");
  unknown("units = 3\nactivation = \"tanh\"", "activation", "expected one of type, units");
  expect_error("", {"model.layers=[{}, {type=\"relu\", slope=0.1}]"},
               {"--set: unknown key model.layers[1].slope"});
}

TEST(ModelConfig, TheShortFormBesideLayersIsRefused) {
  const std::pair<const char*, const char*> keys[] = {
      {"hidden", "[3]"}, {"activation", "\"relu\""}, {"dropout", "0.5"}, {"output_activation", "\"tanh\""}};
  for (const auto& [key, value] : keys) {
    const std::string found =
        std::string("model.") + key + " is set beside model.layers, expected one of the two";
    expect_error(std::string("[model]\n") + key + " = " + value + "\n[[model.layers]]\n", {},
                 {"run.toml:2: " + found});
    expect_error("[[model.layers]]\n", {std::string("model.") + key + "=" + value}, {"--set: " + found});
  }
}

TEST(ModelConfig, AnActivationAtTheEndGoesWithASquaredErrorOnly) {
  for (const std::string loss : {"cross_entropy", "binary_cross_entropy"}) {
    const std::string found =
        "the network ends with \"tanh\" and model.loss is \"" + loss + "\", expected no activation";
    expect_error("[model]\n\noutput_activation = \"tanh\"\n", {"model.loss=" + loss},
                 {"run.toml:3: " + found});
    expect_error("[model]\nloss = \"" + loss + "\"\n[[model.layers]]\n[[model.layers]]\ntype = \"tanh\"\n",
                 {}, {"run.toml:3: " + found});
    expect_error("", {"model.output_activation=tanh", "model.loss=" + loss}, {"--set: " + found});
    EXPECT_NO_THROW(model("", {"model.output_activation=identity", "model.loss=" + loss}));
  }
  for (const std::string loss : {"mse", "half_mse"}) {
    EXPECT_NO_THROW(model("", {"model.output_activation=sigmoid", "model.loss=" + loss}));
    EXPECT_NO_THROW(model("", {"model.layers=[{}, {type=\"tanh\"}]", "model.loss=" + loss}));
  }
}

TEST(ModelConfig, ResolvedHasTheLayersInPlaceOfTheShortForm) {
  const auto values = resolved(kFiveLayers).at("model");
  for (const char* key : {"hidden", "activation", "dropout", "output_activation"})
    EXPECT_FALSE(values.contains(key)) << key;
  EXPECT_EQ(values.at("layers").at(0), (ordered_json{{"type", "dropout"}, {"rate", 0.125}}));
  EXPECT_EQ(values.at("layers").at(1), (ordered_json{{"type", "dense"},
                                                     {"units", 7},
                                                     {"bias", false},
                                                     {"init", "he"},
                                                     {"bias_init", ""},
                                                     {"frozen", false},
                                                     {"learning_rate_factor", 1.0},
                                                     {"weight_decay_factor", 1.0}}));
  EXPECT_EQ(values.at("layers").at(2), (ordered_json{{"type", "leaky_relu"}}));
  EXPECT_FALSE(resolved("").at("model").contains("layers"));
}

TEST(ModelConfig, ResolvedLayersAsTomlResolveToThemselves) {
  for (const Overrides& overrides :
       {Overrides{}, Overrides{"model.loss=mse", "model.leaky_slope=0.30000000000000004"},
        Overrides{"model.layers=[{}]"},
        Overrides{"model.layers=[{type=\"sigmoid\"},{units=3,init=\"normal(1e-3)\"},{type=\"dropout\",rate="
                  "1e-9},{}]"},
        Overrides{"model.layers=[]", "model.dropout=0.1"}}) {
    const auto values = resolved(kFiveLayers, overrides);
    EXPECT_EQ(resolved(to_toml(values)), values) << to_toml(values);
  }
}

}  // namespace
}  // namespace lockstep::config
