// A small batch of a configuration's, for what looks at single steps.
#pragma once

#include <cstddef>

#include "config/run_config.h"

namespace lockstep::run {

// A batch of about `samples` in the configuration's shards, and no more than it has; where there is batch
// norm at least four in each, which may differ, and so many that no step has a single one. Throws DataError
// and ConfigError where the data set cannot be opened.
std::size_t small_batch(config::RunConfig run, std::size_t samples);

}  // namespace lockstep::run
