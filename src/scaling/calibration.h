// What lockstep predict measures: what steps cost on this host, and what sums over the job's ranks cost.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "run/experiment.h"
#include "run/job.h"
#include "scaling/scaling_model.h"

namespace lockstep::scaling {

struct Calibration {
  Sums sums;                        // of which network
  std::string kernel_family, mode;  // what steps were measured with
  std::vector<LayoutCost> layouts;
  std::optional<Network> within_host, between_hosts;
};

// What a step of such a run sums, and how.
Sums sums_of(const config::RunConfig& run, const nn::Model& model);

// Measures steps of one rank on otherwise idle cores (where the job has one rank a host and several hosts:
// not), then of all ranks at once, over several numbers of blocks and rows, with copies of the network that
// learn nothing; then sums over the ranks. Rank 0's is the job's. Collective; some seconds.
Calibration calibrate(run::Job& job, const config::RunConfig& run, const run::Experiment& experiment,
                      const std::string& kernel_family, int threads);

// `calibration` with what is measured anew in place of the same layouts and networks of before.
Calibration merged(Calibration before, const Calibration& measured);

// What a calibration of these would be, without measurements.
Calibration expected_calibration(const config::RunConfig& run, const run::Experiment& experiment,
                                 const std::string& kernel_family);

// As JSON. Throws ConfigError, which names the file, where it cannot be read, is none, or of another network,
// kernels or mode than expected.
Calibration read_calibration(const std::filesystem::path& path, const Calibration& expected);
void write_calibration(const std::filesystem::path& path, const Calibration& calibration);

}  // namespace lockstep::scaling
