// What computes: the program as it was built, and the libraries that it meets.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "run/compute.h"

namespace lockstep::run {

// Version, commit, build, compiler, flags, BLIS and MPI.
nlohmann::ordered_json provenance();
// The same with the kernels of a run, each rank's in "kernels": what summary.json says of the program.
nlohmann::ordered_json provenance(const Compute& compute);

// What lockstep --version prints: "lockstep 0.1.0", then provenance() and the kernels that this processor
// can run, a line each.
std::string version_text();

}  // namespace lockstep::run
