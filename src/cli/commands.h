// The subcommands: what each takes on the command line, and the function of a lower floor that it calls.
#pragma once

#include <functional>

#include "cli/options.h"
#include "run/job.h"
#include "run/recorded_step.h"

namespace lockstep::cli {

// Does the work of a subcommand, when the command line is parsed and the ranks are there; returns the exit
// code.
using Run = std::function<int(run::Job& job)>;

// Each says which options there are, and returns what is to be done with their values.
Run activations_command(Options& options);
Run compare_command(Options& options);
Run configs_command(Options& options);
Run doctor_command(Options& options);
Run eval_command(Options& options);
Run export_command(Options& options);
Run gradcheck_command(Options& options);
Run inspect_command(Options& options);
Run predict_command(Options& options);
Run receipt_command(Options& options);
Run sanity_command(Options& options);
Run selftest_command(Options& options);
Run sweep_command(Options& options);
Run trace_step_command(Options& options);
Run train_command(Options& options);
Run verify_command(Options& options);

// --step and --samples: which step of a configuration's training.
void declare_step(Options& options, run::StepChoice& choice);

}  // namespace lockstep::cli
