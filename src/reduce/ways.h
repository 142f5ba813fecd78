// Which way gradients travel, by the options and by where the ranks are: comm::Communicator::hosts() of them.
#pragma once

#include <cstddef>
#include <span>

#include "reduce/options.h"

namespace lockstep::reduce {

// Whether gradients are summed while backward goes on.
bool sums_overlap(const ReduceOptions& options, std::span<const int> hosts);

// Whether the ranks are all on one host and add up in memory, if they can share it.
bool sums_in_memory(const ReduceOptions& options, std::span<const int> hosts);

// Whether the ranks of each of several hosts add up in memory first, if they can share it.
bool sums_in_two_levels(const ReduceOptions& options, std::span<const int> hosts);

// Whether an arena of so many parameters is divided among so many that exchange, by Update::kAuto: each has
// two chunks (Division) or more. With fewer, those that have the most hold up all others: parts of whole
// chunks are half as large again as even ones, or more.
bool worth_dividing(std::size_t parameters, std::size_t members);

// Whether each rank reads the sum of its part alone, and updates that.
bool divides(const ReduceOptions& options, std::span<const int> hosts, std::size_t parameters);

// Bytes of a message: reduce.bucket_bytes, or what is right for sums under way and for sums at the end.
std::size_t bucket_bytes(const ReduceOptions& options, bool overlapped);

}  // namespace lockstep::reduce
