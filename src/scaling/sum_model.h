// What it costs a step to sum gradients over ranks, and to gather parameters that ranks have updated in part:
// all formulas of messages, for predictions and for what measures the network by them.
//
// Of n bytes over P ranks, R on each of H hosts:
//
// A sum that every rank has goes by recursive halving, the nearest ranks first, and back by recursive
// doubling (Rabenseifner's; Open MPI's MPI_Iallreduce has it so, coll/libnbc,
// allred_sched_redscat_allgather). The nearest are those of the host, which together put 1/R of each rank's
// bytes, R times, on the link that they share; ranks of a host that add up in memory first and send one sum a
// host over the network move the same there:
//
//   link     2 (H-1)/H n seconds_per_byte + 2 log2(H) latency   of between_hosts
//   memory   2 (R-1)/R n seconds_per_byte + 2 log2(R) latency   of within_host
//
// A sum of few numbers takes log2(P) messages, by recursive doubling.
// Source: Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in MPICH", 2005,
// 4.1 and 4.4.
//
// A divided sum is an exchange: each rank sends every other one its part, all messages at once, and adds up
// what comes; a gather is the same the other way. Parts are of whole chunks, so the link that is busy longest
// is that of the largest part p >= n/P (of hosts that each have a rank that speaks for it: p >= n/H):
//
//   hosts that add up in memory first, or of one rank
//     link     (H-1) p seconds_per_byte + latency
//     memory   (R-1)/R n seconds_per_byte + 2 log2(R) latency: two barriers
//   several hosts, each rank like one of its own
//     link     R (P-R) p seconds_per_byte + latency
//     memory   p seconds_per_byte
//   one host, sums read where they are
//     memory   p seconds_per_byte + log2(R) latency: a barrier
//
// A message beyond 64 KiB asks first: three latencies (rendezvous; Open MPI's btl_tcp_eager_limit). Source:
// the linear algorithms of Open MPI's MPI_Alltoallv (coll/base, ompi_coll_base_alltoallv_intra_basic_linear),
// MPI_Ialltoallv and MPI_Iallgatherv (coll/libnbc, a2av_sched_linear and ompi_coll_libnbc_iallgatherv), of
// which each starts all messages at once. What a message costs a core is left out: a part is 16 KiB or more,
// whose bytes take longer.
#pragma once

#include <cstddef>
#include <vector>

#include "reduce/options.h"
#include "scaling/network.h"

namespace lockstep::scaling {

// A tensor's part in bytes and in time: its elements, and the multiply-adds for each sample that they, or
// what they are multiplied with, take part in. A convolution uses each of its weights once for every pixel.
struct TensorLoad {
  std::size_t elements = 0;
  std::size_t backward = 0;
  std::size_t forward = 0;  // of a layer that needs all of its tensors to begin: with the last of these
  bool in_slices = false;   // whether forward goes on with the part of the tensor that is there
};

// What a step sums, and how.
struct Sums {
  std::vector<TensorLoad> tensors;  // in the arena's order
  std::size_t few_bytes = 8;        // of the sum of losses, counters and statistics, a message of their own
  std::vector<std::size_t>
      part_sums;                  // bytes of each sum of what ranks find in their parts, if these are divided
  double bytes_per_number = 4.0;  // on the wire
  std::size_t bucket_bytes = std::size_t{1} << 20;             // of a message under way
  std::size_t bucket_bytes_at_the_end = std::size_t{1} << 18;  // between hosts without overlap
  bool bucket_bytes_given = false;  // else divided buckets grow with the ranks, so that each has a chunk
  bool overlap_on_one_host = false, overlap_across_hosts = true;
  // Of kDivided each rank gets the sums of its part, updates that, and all parts are gathered; of kEverywhere
  // every rank updates everything.
  reduce::Update update = reduce::Update::kEverywhere;
  // Of a divided update: ranks of a host share memory, and one of several hosts' speaks for its host.
  bool in_memory = true, two_levels = true;

  double parameters() const;
  bool divided(int ranks, int hosts) const;  // as reduce::divides
  bool overlap(int hosts) const { return hosts == 1 ? overlap_on_one_host : overlap_across_hosts; }
};

// The way of a sum over so many ranks, as evenly on so many hosts as can be, or of an exchange.
struct Path {
  double seconds_per_byte = 0.0;  // of what is summed, each link and memory in their turn
  double messages = 0.0;          // one after the other
  double latency = 0.0;           // of all of these
  double stolen_per_byte = 0.0;

  // Of a few numbers, by the way of a sum.
  double few_numbers() const { return 0.5 * latency; }
};
Path path_of_sum(const Cluster& cluster, int ranks, int hosts);

// Seconds of a sum of so few bytes, by recursive doubling.
double few_numbers_seconds(const Cluster& cluster, int ranks, int hosts, double bytes);

// The largest part of the arena that a rank updates: 1 where each updates everything.
double largest_part(const Sums& sums, int ranks, int hosts);

// What a step pays for it.
struct SumSeconds {
  double sum = 0.0;     // by which sums outlast backward, or delay it, with adding up what ranks exchanged
  double gather = 0.0;  // by which parameters outlast forward or delay it; all of it without overlap
  double whole = 0.0;   // of all messages, hidden or not
  double exposed() const { return sum + gather; }
};
SumSeconds sum_seconds(const Sums& sums, const Cluster& cluster, int ranks, int hosts, double forward,
                       double backward);

// The network of a job of so many ranks and hosts, from what was measured in it: seconds of a sum of few
// numbers, and of one of `bytes` in `buckets` that follow one another. within: of the host, where hosts
// have several ranks and there are several of them. What sums steal is left at 0.
Network network_from(int ranks, int hosts, const Network& within, double few_numbers, double whole,
                     double bytes, double buckets);

}  // namespace lockstep::scaling
