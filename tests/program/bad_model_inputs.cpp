// What can be wrong with layers and losses, and with the two together.
#include "bad_inputs.h"
#include "files.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;

// Trains on points of the plane, with these settings.
auto planar(const Words& settings) {
  return [settings](const fs::path& folder) {
    write_planar_config(folder);
    Words more;
    for (const std::string& setting : settings) more.insert(more.end(), {"--set", setting});
    return quiet_training(more);
  };
}

// Trains by bad.toml: the first two lines, then this text from line 3 on.
auto network(const std::string& text) {
  return [text](const fs::path& folder) {
    write_text(folder / "bad.toml", "[data]\ndataset = \"circle\"\n" + text);
    return Words{"train", "bad.toml", "--out", "out", "--quiet"};
  };
}

constexpr const char* kAllActivations = "expected one of sigmoid, tanh, relu, leaky_relu, elu, identity";

}  // namespace

std::vector<BadInput> bad_model_inputs() {
  constexpr Seen kAll = Seen::kByAll;
  return {
      {"BinaryCrossEntropyOfTenClasses",
       2,
       kAll,
       [](const fs::path&) {
         return quiet_training({"--set", "model.loss=binary_cross_entropy"});
       },
       {"model.loss is \"binary_cross_entropy\" with 10 classes",
        "expected 2 classes, or \"cross_entropy\""}},
      {"SoftmaxOfOneOutput",
       2,
       kAll,
       planar({"model.outputs=1"}),
       {"model.outputs is 1", "cross_entropy", "expected an output a class", "softmax of one output"}},
      {"MoreOutputsThanClasses",
       2,
       kAll,
       planar({"model.outputs=3"}),
       {"model.outputs is 3", "expected 2, the number of classes"}},
      {"MisspeltLoss",
       2,
       kAll,
       planar({"model.loss=crossentropy"}),
       {"--set: model.loss is 'crossentropy'",
        "expected one of cross_entropy, binary_cross_entropy, mse, half_mse"}},
      {"MisspeltActivation",
       2,
       kAll,
       planar({"model.activation=rleu"}),
       {"--set: model.activation is 'rleu'", kAllActivations}},
      {"ActivationBeforeASoftmax",
       2,
       kAll,
       planar({"model.output_activation=sigmoid"}),
       {"--set: the network ends with \"sigmoid\" and model.loss is \"cross_entropy\"",
        "expected no activation"}},
      {"DropoutOfEverything",
       2,
       kAll,
       planar({"model.dropout=1"}),
       {"--set: model.dropout is 1", "expected a number from 0 up to, not including, 1"}},
      {"BiasesByTheirNumberOfInputs",
       2,
       kAll,
       planar({"model.bias_init=he"}),
       {"--set: model.bias_init is \"he\"", "expected \"zeros\""}},
      {"LayersBesideHidden",
       2,
       kAll,
       network("[[model.layers]]\ntype = \"dense\"\n[model]\nhidden = [5]\n"),
       {"bad.toml:6: model.hidden is set beside model.layers", "expected one of the two"}},
      {"LayersThatAreANumber",
       2,
       kAll,
       network("[model]\nlayers = 3\n"),
       {"bad.toml:4: model.layers is 3", "expected a list of tables"}},
      {"LayerOfAnUnknownType",
       2,
       kAll,
       network("[[model.layers]]\nunits = 4\n[[model.layers]]\ntype = \"conv\"\n"),
       {"bad.toml:6: model.layers[1].type is 'conv'", "expected one of dense, dropout, sigmoid"}},
      {"LayerWithAnUnknownKey",
       2,
       kAll,
       network("[[model.layers]]\nunits = 4\nactivation = \"relu\"\n"),
       {"bad.toml:5: unknown key model.layers[0].activation",
        "expected one of type, units, bias, init, bias_init"}},
      {"LayerWithAMisspeltKey",
       2,
       kAll,
       network("[[model.layers]]\nunit = 4\n"),
       {"bad.toml:4: unknown key model.layers[0].unit", "did you mean units?"}},
      {"LayerWithAKeyOfAnotherType",
       2,
       kAll,
       network("[[model.layers]]\ntype = \"relu\"\nunits = 4\n"),
       {"bad.toml:5: unknown key model.layers[0].units", "expected one of type"}},
      {"LayerWithAnUnknownInitializer",
       2,
       kAll,
       network("[[model.layers]]\ninit = \"hee\"\n"),
       {"bad.toml:4: model.layers[0].init is \"hee\"", "expected \"glorot\", \"he\""}},
      {"LayerThatDropsEverything",
       2,
       kAll,
       network("[[model.layers]]\nunits = 4\n[[model.layers]]\ntype = \"dropout\"\nrate = 1.0\n"),
       {"bad.toml:7: model.layers[1].rate is 1.0", "expected a number from 0 up to, not including, 1"}},
      {"LayersThatEndWithAnActivation",
       2,
       kAll,
       network("[[model.layers]]\n[[model.layers]]\ntype = \"tanh\"\n"),
       {"bad.toml:3: the network ends with \"tanh\"", "expected no activation at the end"}},
      {"LayersThatEndWithAnActivationAndDropout",
       2,
       kAll,
       network("[[model.layers]]\n[[model.layers]]\ntype = \"tanh\"\n"
               "[[model.layers]]\ntype = \"dropout\"\n[[model.layers]]\ntype = \"dropout\"\n"),
       {"bad.toml:3: the network ends with \"tanh\"", "expected no activation at the end"}},
      {"LayersThatEndWithTooManyOutputs",
       2,
       kAll,
       network("[[model.layers]]\nunits = 4\n"),
       {"model.layers end with 4 outputs", "expected 2"}},
      {"LayersWithoutParameters",
       2,
       kAll,
       network("[[model.layers]]\ntype = \"dropout\"\n"),
       {"model.layers has no layer with parameters", "expected a dense one"}},
      {"OverrideOfALayerThatThereIsNot",
       2,
       kAll,
       [](const fs::path& folder) {
         write_planar_config(folder, "[[model.layers]]\ntype = \"dense\"\n");
         return quiet_training({"--set", "model.layers.1.units=5"});
       },
       {"--set model.layers.1.units: model.layers has 1 tables", "expected more than 1"}},
      {"OverrideOfALayerWithABadValue",
       2,
       kAll,
       [](const fs::path& folder) {
         write_planar_config(folder, "[[model.layers]]\ntype = \"dense\"\n");
         return quiet_training({"--set", "model.layers.0.units=five"});
       },
       {"--set: model.layers[0].units is 'five'", "expected an integer"}},
  };
}

}  // namespace lockstep::program
