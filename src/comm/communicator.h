// A group of ranks and what they do together. The only door to MPI. MPI keeps the group until the session
// ends.
//
// Every member that communicates is collective: all ranks call it, in the same order, with the same sizes. An
// MPI failure throws RankError, which names the operation. Messages of more than 2^30 elements
// are cut. Call from the main thread only, while no BackgroundSums is at work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bfloat16.h"
#include "base/error.h"

namespace lockstep::comm {

// An error that every rank of the job has learnt of: all may end in the ordinary way, and one reports it.
struct CollectiveError : Error {
  using Error::Error;
};

// The name of the machine that this process runs on, with its domain if it has one: MPI's own is the first
// label alone.
std::string host_name();

// Of a buffer: of each rank, how many bytes are its own or for it, and where they begin. At most 2^31 - 1.
struct Parts {
  std::vector<int> sizes, places;
};

class Communicator {
 public:
  Communicator();  // of no ranks: may only be assigned to
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;
  ~Communicator();

  // A copy of MPI's own communicator, so that nobody else's messages meet ours. Collective over the group.
  enum class Group { kWorld, kSelf };
  static Communicator duplicate(Group group);

  // The ranks that gave the same colour, as a group of their own, in the same order. Collective over this
  // one.
  Communicator split(int colour) const;

  // A copy whose ranks are taken to be on these hosts, whatever host they are on: see hosts(). Collective.
  Communicator taken_to_be_on(std::vector<int> hosts) const;

  int rank() const { return rank_; }
  int size() const { return size_; }

  // Of each rank, a number that stands for its host: the lowest rank's there.
  const std::vector<int>& hosts() const { return hosts_; }
  // Whether all ranks are on one host.
  bool on_one_host() const { return on_one_host_; }

  // The ranks of this group that share this rank's host, in the same order. Collective over this one.
  Communicator of_this_host() const;

  // x <- the sum of all ranks' x, in place. A float sum's bits depend on the number of ranks; an integer
  // one's do not.
  void allreduce_sum(std::span<float> x) const;
  void allreduce_sum(std::span<Bfloat16> x) const;
  void allreduce_sum(std::span<std::int16_t> x) const;
  void allreduce_sum(std::span<std::int32_t> x) const;
  void allreduce_sum(std::span<std::int64_t> x) const;

  // Returns when every rank has called it; what they wrote to memory before, all see after.
  void barrier() const;

  std::int64_t allreduce_min(std::int64_t x) const;
  // x_i <- the largest of all ranks' x_i, in place. NaN is larger than any other double.
  void allreduce_max(std::span<std::int64_t> x) const;
  void allreduce_max(std::span<double> x) const;
  double allreduce_max(double x) const;

  // Every rank's x, by rank.
  std::vector<std::int64_t> allgather(std::int64_t x) const;

  // Every rank's bytes, by rank; nothing on other ranks than the root.
  std::vector<std::string> gather(const std::string& bytes, int root) const;

  // Sends each rank its part of `out`, and receives what each has for this one into its part of `in`.
  void exchange(std::span<const std::byte> out, const Parts& of_out, std::span<std::byte> in,
                const Parts& of_in) const;

  // Of buffers in which every rank has its own part: the others' too. All are under way together.
  struct Gathered {
    std::span<std::byte> buffer;
    const Parts* parts;
  };
  void allgather(std::span<const Gathered> buffers) const;

  // x of rank `to` <- that of rank `from`; the other ranks need not call it.
  void send(std::span<const float> x, int to) const;
  void receive(std::span<float> x, int from) const;

  // Nanoseconds by which this rank's steady clock is ahead of rank 0's, to half a message's round trip.
  std::int64_t clock_ahead_of_first() const;

  // bytes, text <- the root's.
  void broadcast(std::span<std::byte> bytes, int root) const;
  void broadcast(std::string& text, int root) const;

  // Runs `action` on every rank. If it threw on any, throws the lowest such rank's error on all of them as a
  // CollectiveError. "rank R: " stands before the message where other ranks succeeded, unless it is rank 0's,
  // which acts for all. Anything thrown that is not an Error counts as a failure of the rank.
  void all_or_none(const std::function<void()>& action) const;

 private:
  friend class BackgroundSums;
  struct Handle;
  static Communicator owning(Handle handle);
  void find_hosts();

  std::unique_ptr<Handle> handle_;
  int rank_ = 0;
  int size_ = 1;
  std::vector<int> hosts_ = {0};
  bool on_one_host_ = true;
};

}  // namespace lockstep::comm
