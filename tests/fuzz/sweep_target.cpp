// Searches: a sweep's text. The first and last trials' values are given to the configuration as the sweep
// would.
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/run_config.h"
#include "config/sweep.h"
#include "fuzz.h"

namespace lockstep::fuzz {

std::vector<std::string> seeds() {
  return {
      "config = \"a.toml\"\nsearch = \"random\"\ntrials = 5\nseeds = [1, 2]\nfolds = "
      "3\n[set]\n\"train.epochs\" = 3\n"
      "\"data.dir\" = \"here\"\n[parameters]\n\"model.hidden\" = [[64], [64, 64]]\n"
      "\"train.learning_rate\" = { log_uniform = [0.001, 0.1] }\n\"train.batch_size\" = { integer = [64, "
      "256] }\n"
      "\"train.l2\" = { uniform = [0, 0.1] }\n\"model.activation\" = [\"relu\", \"tanh\"]\n"};
}

}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  config::Sweep sweep;
  if (!fuzz::accepts([&] { sweep = config::parse_sweep(fuzz::text_of(data, size), "folder/sweep.toml"); }))
    return 0;
  for (const std::size_t trial : {std::size_t{0}, std::size_t{1}, sweep.size() - 1}) {
    if (trial >= sweep.size()) continue;
    fuzz::accepts([&] {
      std::vector<std::string> overrides = sweep.overrides;
      const auto values = sweep.values(trial);
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i].find('\n') != std::string::npos)
          fuzz::found("a value of more than one line: " + values[i]);
        overrides.push_back(sweep.parameters[i].key + "=" + values[i]);
      }
      config::parse("", "run.toml", overrides);
    });
  }
  return 0;
}
