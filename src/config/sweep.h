// A search over hyperparameters: a TOML file that names a configuration and what to vary in it.
//
//   config = "mlp.toml"          # relative to the sweep's file
//   search = "grid"              # every combination, or "random": `trials` of them, drawn by `seed`
//   score = "test_accuracy"      # of the last epoch; also test_loss, test_largest_error, train_accuracy and
//                                # train_loss
//   seeds = [1, 2]               # a trial is run with each (default: the configuration's)
//   folds = 3                    # and on each fold of a k-fold cross-validation (default: 0, none)
//
//   [set]                        # keys and values for all trials
//   "train.epochs" = 3
//
//   [parameters]                 # keys and lists of values; in a random search also ranges
//   "model.hidden" = [[100], [100, 100]]
//   "train.l2" = { log_uniform = [1e-5, 1e-1] }    # or uniform, or integer; ends included
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::config {

struct Parameter {
  enum class Kind { kList, kUniform, kLogUniform, kInteger } kind = Kind::kList;
  std::string key;
  std::string where;                // "sweep.toml:12"
  std::vector<std::string> values;  // of kList, as TOML
  double low = 0.0, high = 0.0;     // of kUniform and kLogUniform
  std::int64_t first = 0;           // of kInteger: so many from here on
  std::uint32_t count = 0;
};

struct Sweep {
  enum class Search { kGrid, kRandom };

  std::string file;  // of the sweep
  std::filesystem::path config;
  Search search = Search::kGrid;
  std::size_t trials = 0;  // of a random search
  std::uint64_t seed = 1;
  std::string score = "test_accuracy";
  std::vector<std::size_t> seeds;
  std::size_t folds = 0;
  std::vector<std::string> overrides;  // of [set], as --set takes them
  std::vector<std::string> origins;    // where each of these is: "sweep.toml:8"
  std::vector<Parameter> parameters;

  bool higher_is_better() const { return score.ends_with("accuracy"); }
  // How many trials there are.
  std::size_t size() const;
  // The parameters' values in a trial, as TOML: a function of the trial's number, from 0 on.
  std::vector<std::string> values(std::size_t trial) const;
};

// The sweep that `text`, the content of the file `name`, describes. Throws ConfigError, which names file,
// line and key.
Sweep parse_sweep(const std::string& text, const std::string& name);

// A value as --set takes it: without the quotation marks that TOML puts around a string, where that is still
// the same string.
std::string plain_toml(const std::string& value);

}  // namespace lockstep::config
