// What it costs a step to sum gradients over ranks, and to gather parameters that ranks have updated in part:
// all formulas of messages, for predictions and for what measures the network by them.
//
// A sum of n bytes over P ranks, R on each of H hosts, goes by recursive halving, the nearest ranks first,
// and back by recursive doubling (Rabenseifner's; Open MPI's MPI_Iallreduce has it so, coll/libnbc,
// allred_sched_redscat_allgather). The nearest are those of the host, which together put 1/R of each rank's
// bytes, R times, on the link that they share; ranks of a host that add up in memory first and send one
// sum a host over the network move the same there:
//
//   link     2 (H-1)/H n seconds_per_byte + 2 log2(H) latency   of between_hosts
//   memory   2 (R-1)/R n seconds_per_byte + 2 log2(R) latency   of within_host
//
// Either half is a reduce-scatter, or a gather, by itself. A sum of a few numbers takes log2(P) messages, by
// recursive doubling. Source: Thakur, Rabenseifner, Gropp, "Optimization of collective communication
// operations in MPICH", 2005, 4.1 and 4.4.
#pragma once

#include <cstddef>
#include <vector>

#include "scaling/network.h"

namespace lockstep::scaling {

// A tensor's part in bytes and in time: its elements, and the multiply-adds of backward for each sample that
// they, or what they are multiplied with, take part in. A convolution uses each of its weights once for every
// pixel.
struct TensorLoad {
  std::size_t elements = 0, work = 0;
};

// What a step sums, and how.
struct Sums {
  std::vector<TensorLoad> tensors;                             // in the arena's order
  std::size_t counters = 0;                                    // numbers that travel behind the gradients
  std::size_t few_numbers = 1;                                 // sums of their own: of losses, of statistics
  double bytes_per_number = 4.0;                               // on the wire
  std::size_t bucket_bytes = std::size_t{1} << 20;             // of a message under way
  std::size_t bucket_bytes_at_the_end = std::size_t{1} << 18;  // between hosts without overlap
  bool overlap_on_one_host = false, overlap_across_hosts = true;
  // Each rank gets the sums of its part, updates that, and all parts are gathered; else every rank updates
  // everything.
  bool divided_update = false;

  double parameters() const;
  double bytes() const;  // of all that a rank sends in buckets
};

// The way of a sum over so many ranks, as evenly on so many hosts as can be.
struct Path {
  double seconds_per_byte = 0.0;  // of what is summed, each link and memory in their turn
  double messages = 0.0;          // one after the other
  double latency = 0.0;           // of all of these
  double stolen_per_byte = 0.0;

  // Of a few numbers.
  double few_numbers() const { return 0.5 * latency; }
};
Path path_of_sum(const Cluster& cluster, int ranks, int hosts);

// What a step pays for it.
struct SumSeconds {
  double exposed = 0.0;  // by which sums outlast backward, or delay it; and all of a gather
  double whole = 0.0;    // of all messages, hidden or not
};
SumSeconds sum_seconds(const Sums& sums, const Cluster& cluster, int ranks, int hosts, double backward);

// The network of a job of so many ranks and hosts, from what was measured in it: seconds of a sum of few
// numbers, and of one of `bytes` in `buckets` that follow one another. within: of the host, where hosts
// have several ranks and there are several of them. What sums steal is left at 0.
Network network_from(int ranks, int hosts, const Network& within, double few_numbers, double whole,
                     double bytes, double buckets);

}  // namespace lockstep::scaling
