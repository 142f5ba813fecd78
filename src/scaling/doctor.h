// What this job has to work with, measured, and what would make it faster.
#pragma once

#include "run/job.h"

namespace lockstep::scaling {

// Prints kernels, cores, ranks, allreduce, data, and what it would change. Collective; some seconds.
void doctor(run::Job& job);

}  // namespace lockstep::scaling
