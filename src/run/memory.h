// Whether a training run can fit into memory, before it is allocated.
#pragma once

#include <cstdint>

#include "comm/communicator.h"
#include "config/run_config.h"
#include "data/dataset.h"
#include "data/shard_plan.h"
#include "nn/model.h"

namespace lockstep::run {

// Bytes that this rank will hold at least: its samples; weights, gradients, the optimizer's state and the
// average; and the activations of a step's rows.
std::uint64_t least_bytes(const config::RunConfig& run, const data::DatasetInfo& info,
                          const data::ShardPlan& plan, const nn::Model& model,
                          const comm::Communicator& ranks);

// Bytes that such a rank of `ranks` on one host, with so many threads, will hold at most in training where
// shards are divided evenly, the program and its libraries included (as measured with Open MPI 4.1): what the
// system calls resident.
std::uint64_t expected_bytes(const config::RunConfig& run, const data::DatasetInfo& info,
                             const data::ShardPlan& plan, const nn::Model& model, int rank, int ranks,
                             int threads);

// Throws CollectiveError where the ranks of a host will hold more together than it may, as `own` of each
// says. Collective.
void expect_room(const comm::Communicator& ranks, std::uint64_t own);

}  // namespace lockstep::run
