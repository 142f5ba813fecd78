// The sum of an arena over the ranks, of which each reads its own part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/bfloat16.h"
#include "comm/background_sums.h"
#include "comm/communicator.h"
#include "comm/shared_memory.h"
#include "reduce/division.h"
#include "reduce/gradient_sum.h"
#include "reduce/messages.h"
#include "reduce/options.h"

namespace lockstep::reduce {

// On one host each rank adds up its part of all ranks' arrays where they are, as it reads it, and puts its
// part of the parameters where the others copy it from.
//
// Between hosts each sends the others their parts of every bucket, and reads the sum of its own and of what
// it received: a reduce-scatter, in which no partial sum travels. (That of Open MPI's non-blocking
// collectives sums everything on one rank.) With overlap a bucket leaves as soon as it is complete. Where
// hosts have several ranks, those of a host add up each bucket in memory first, into the array of one of them
// that speaks for the host. With a narrow wire the buckets travel at half the width; parameters always at
// full width, and with overlap on their way while the caller goes on, the arena's first bucket first.
// Where each rank exchanges with each other, with overlap, the sum too is there bucket by bucket, the arena's
// last first.
template <typename T>
class DividedSum final : public GradientSum<T> {
 public:
  using Half = std::conditional_t<std::is_same_v<T, float>, Bfloat16, std::int16_t>;

  // By such a division among the communicator's ranks. add_up() will be called for at most `words` integers.
  // The references must outlive it, and progress, which is told of buckets under way unless it is null.
  DividedSum(const Division& division, const ReduceOptions& options, const comm::Communicator& communicator,
             std::size_t words, int threads, liveness::Progress* progress = nullptr);

  std::span<T> local() override { return local_; }
  bool overlaps() const override { return overlaps_; }
  void complete_from(std::size_t first) override;
  // The first throws CollectiveError where reduce.levels = "two" cannot be.
  void add_up(std::span<std::int64_t> x) override;
  void finish() override;
  std::size_t wait_for_sum(std::size_t least) override;
  std::span<const T> read(std::size_t begin, std::span<T> scratch) const override;
  void gather(std::span<float> arena) override;
  void begin_gather(std::span<float> arena) override;
  std::size_t wait_for(std::span<const float> parameters, std::size_t least) override;
  void give_up() override;
  std::size_t bytes() const override;

 private:
  using Base = GradientSum<T>;
  enum class Way {
    kMemory,    // all ranks in memory that they share
    kTwo,       // the ranks of a host in memory, one of them by messages
    kMessages,  // each rank by messages
  };
  using Bucket = Division::Bucket;
  // What a rank tells the others of its host, of all rounds so far: buckets that are complete, and those of
  // which it has added up its slice; and, who speaks for the host, of which the parameters are there.
  enum class Count : std::size_t { kComplete, kAdded, kArrived };

  void connect();
  bool connect_host(const comm::Communicator& host);
  void prepare_messages();
  std::uint64_t& count_of(Count count, int rank_on_host) const;
  void tell(Count count, std::size_t buckets);
  // Buckets of this round of which every rank of this host says so.
  std::size_t least(Count count) const;
  void move_on();
  void add_slice(const Bucket& bucket);
  void send(std::size_t bucket);
  void end_exchange();
  comm::Communicator::Gathered parameters_of(std::size_t bucket, std::span<float> arena) const;
  void copy(std::span<const float> from, std::span<float> to, std::size_t begin, std::size_t end) const;
  std::span<float> publish(std::span<float> arena);
  void take_published(const Bucket& bucket, std::span<float> arena) const;
  std::size_t wait_for_speaker(std::size_t count) const;
  std::span<std::int64_t> words_of(int rank) const;
  std::span<const T> local_of(int rank_on_host) const;
  std::size_t width() const { return narrow_ ? sizeof(Half) : sizeof(T); }
  template <typename U>
  void add_received(const Message& message, std::size_t begin, std::span<T> sum) const;

  const Division* division_;
  const comm::Communicator* communicator_;
  ReduceOptions options_;
  std::size_t words_;
  int threads_;
  liveness::Progress* progress_;
  bool overlaps_, narrow_;
  Way way_;                                   // as hoped for, until it is connected
  bool connected_ = false;                    // by the first add_up() or gather()
  comm::SharedMemory own_;                    // local_, words twice, counts
  std::span<T> local_;                        // of kTwo, of the rank that speaks for the host: the host's sum
  const comm::Communicator* host_ = nullptr;  // of kMemory and kTwo: those that share memory
  const comm::Communicator* exchange_ =
      nullptr;  // of kTwo and kMessages: those that exchange; null on others
  std::optional<comm::Communicator> host_group_, exchange_group_;  // of kTwo
  Messages messages_;
  std::optional<comm::SharedMemory> received_;   // of each bucket what each of the others sent
  std::optional<comm::SharedMemory> published_;  // parameters, where the ranks of a host copy them from
  bool being_copied_ = false;                    // these
  AlignedBuffer<Half> wire_;                     // with a narrow wire: what travels instead of local_
  std::optional<comm::BackgroundSums> background_;
  bool exchanging_ = false;  // the buckets of the last round, which wait_for_sum() sees to
  std::span<float>
      arriving_;           // of which begin_gather() has begun what wait_for() has not yet seen to the end
  std::size_t taken_ = 0;  // of kTwo: buckets of these that are in the arena
  std::uint64_t round_ = 0;
  std::size_t complete_ = 0, added_ = 0, sent_ = 0;  // buckets of this round
};

extern template class DividedSum<float>;
extern template class DividedSum<std::int32_t>;

}  // namespace lockstep::reduce
