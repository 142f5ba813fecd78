// Configurations: the file's text, then, each after a zero byte, what --set is given.
//
// What is accepted must come back: config.toml, written from the resolved values, gives the same
// configuration again.
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/run_config.h"
#include "fuzz.h"

namespace lockstep::fuzz {

std::vector<std::string> seeds() {
  std::string deep, lists(100000, '[');
  for (int i = 0; i < 100000; ++i) deep += "a.";
  std::string nested = "a = ";
  for (int i = 0; i < 250; ++i) nested.append("{").append(deep, 0, 46).append("a = ");
  const std::string layers =
      "[[model.layers]]\nunits = 3\n[[model.layers]]\ntype = \"relu\"\n[[model.layers]]\n";
  return {"",
          input_of({"seed = 3", "train.epochs=2", "model.hidden=[4, 4]", "data.dataset=spiral"}),
          input_of({layers, "model.layers.0.units=7", "model.layers.2.init=he"}),
          nested + "1" + std::string(250, '}'),
          deep + "a = 1",
          "[" + deep + "a]",
          "a = " + lists,
          "a = " + deep};
}

}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  auto overrides = fuzz::parts_of(fuzz::text_of(data, size));
  const std::string text = overrides.front();
  overrides.erase(overrides.begin());

  nlohmann::ordered_json resolved, again;
  config::RunConfig config;
  if (!fuzz::accepts([&] { config = config::parse(text, "run.toml", overrides, &resolved); })) return 0;
  fuzz::accepts([&] { nn::Model(config.model, 3072, nn::outputs_of(config.model, 10)); });
  try {
    const std::string written = config::to_toml(resolved);
    config::parse(written, "config.toml", {}, &again);
    if (again != resolved || !config::different_keys(resolved, again).empty())
      fuzz::found("config.toml gives another configuration: " + written);
  } catch (const std::exception& error) {
    fuzz::found(std::string("config.toml cannot be written and read back: ") + error.what());
  }
  return 0;
}
