// A trained network as a file that other programs run or show.
#pragma once

#include <string>
#include <vector>

#include "run/job.h"

namespace lockstep::run {

struct ExportArguments {
  std::string config;  // a TOML file, or the folder of a run
  std::vector<std::string> overrides;
  std::string model;  // as EvalArguments has it
  std::string onnx;   // the file to write, in ONNX format
};

// The normalisation is in the graph: its inputs are the data set's own numbers, pixels from 0 to 255, its
// outputs are in the targets' units. Throws CollectiveError. Collective.
void export_network(Job& job, const ExportArguments& arguments);

}  // namespace lockstep::run
