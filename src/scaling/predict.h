// How long an epoch would take on more ranks and hosts than there are.
#pragma once

#include <string>
#include <vector>

#include "run/job.h"

namespace lockstep::scaling {

struct PredictArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::string> networks;  // between hosts; empty: the job's own, or 25gbit
  std::vector<std::string> at;  // RANKSxTHREADS to predict; empty: the best layouts of 1, 2, 4, ... cores
  int most = 4096;              // cores
  int cores_per_host = 0;       // 0: as many as were measured together
  bool weak = false;            // the batch grows with the ranks
  std::string calibration;      // a file of measurements, which this job's are added to
  bool no_measure = false;      // the file's are enough
  std::string csv;              // where the table goes too
};

// Measures steps and sums, and prints how long an epoch would take on more ranks and hosts. Throws
// CollectiveError. Collective.
void predict(run::Job& job, const PredictArguments& arguments);

}  // namespace lockstep::scaling
