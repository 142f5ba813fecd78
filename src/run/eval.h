// Loss and accuracy of saved weights on the training and the test set, and tables of what the network says.
#pragma once

#include <string>
#include <vector>

#include "run/job.h"

namespace lockstep::run {

struct EvalArguments {
  std::string config;  // a TOML file, or the folder of a run
  std::vector<std::string> overrides;
  // Weights, a checkpoint, or best or latest; empty: the run folder's, else train.init_from.
  std::string model;
  std::string out;             // where the tables go; empty: the run folder, else runs/NAME-OF-CONFIG
  std::string predictions_of;  // a CSV file of samples without targets, to predict; empty: none
  // Which tables to write.
  bool grid = false, confusion = false, predictions = false, weights = false, mistakes = false,
       network = false;

  bool writes_tables() const {
    return grid || confusion || predictions || weights || mistakes || network || !predictions_of.empty();
  }
};

// Throws CollectiveError. Collective.
void eval(Job& job, const EvalArguments& arguments);

}  // namespace lockstep::run
