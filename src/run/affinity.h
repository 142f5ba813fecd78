// The cores of its machine that this process may run on.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace lockstep::run {

// Those of the calling thread, as Linux numbers them, ascending; none where it does not tell.
std::vector<int> allowed_cores();

// Ascending numbers as ranges: "0-3,6,8-9".
std::string as_ranges(std::span<const int> ascending);

}  // namespace lockstep::run
