// Whether all ranks, and a run and the checkpoint that it goes on from, have the same data.
#pragma once

#include <string>

#include "comm/communicator.h"
#include "data/dataset.h"
#include "data/fingerprint.h"

namespace lockstep::run {

// Throws CollectiveError, which names the file and each rank's host, where a rank reads another file than
// rank 0 does, as far as Dataset::files can tell. Collective.
void expect_same_files(const comm::Communicator& communicator, const data::Dataset& dataset);

// Throws DataError, which names the file, unless a run goes on with the data that its checkpoint is of.
void expect_data_of(const std::string& checkpoint, const data::Fingerprint& expected,
                    const data::Fingerprint& found, const data::DataOptions& options);

}  // namespace lockstep::run
