#include "reduce/divided_sum.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/simd.h"
#include "kernels/narrow.h"
#include "reduce/ways.h"

namespace lockstep::reduce {
namespace {

constexpr std::size_t kLine = 64;  // bytes; what another rank writes to lies on a line of its own
constexpr std::size_t kCounts = 3;

constexpr std::size_t whole_lines(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

template <typename T>
void add(std::span<const T> x, std::span<T> sum) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += x[i];
}

std::int32_t widened(std::int16_t x) { return x; }
float widened(Bfloat16 x) { return to_float(x); }
std::int32_t widened(std::int32_t x) { return x; }
float widened(float x) { return x; }

}  // namespace

template <typename T>
DividedSum<T>::DividedSum(const Division& division, const ReduceOptions& options,
                          const comm::Communicator& communicator, std::size_t words, int threads,
                          liveness::Progress* progress)
    : division_(&division),
      communicator_(&communicator),
      options_(options),
      words_(words),
      threads_(threads),
      progress_(progress),
      overlaps_(sums_overlap(options, communicator.hosts())),
      narrow_(options.wire != Wire::kFull),
      way_(sums_in_memory(options, communicator.hosts())       ? Way::kMemory
           : sums_in_two_levels(options, communicator.hosts()) ? Way::kTwo
                                                               : Way::kMessages),
      own_(whole_lines(division.parameters() * sizeof(T)) + whole_lines(2 * words * sizeof(std::int64_t)) +
               kCounts * kLine,
           way_ != Way::kMessages),
      local_(comm::values_in<T>(own_.own()).first(division.parameters())) {}

template <typename T>
std::size_t DividedSum<T>::bytes() const {
  return own_.own().size() + (received_ ? received_->own().size() : 0) +
         (published_ ? published_->own().size() : 0) + wire_.size() * sizeof(Half);
}

template <typename T>
std::span<const T> DividedSum<T>::local_of(int rank_on_host) const {
  return connected_ && way_ != Way::kMessages
             ? comm::values_in<const T>(own_.of(rank_on_host)).first(local_.size())
             : local_;
}

template <typename T>
std::span<std::int64_t> DividedSum<T>::words_of(int rank) const {
  const auto both = own_.of(rank).subspan(whole_lines(local_.size_bytes()));
  return comm::values_in<std::int64_t>(both).subspan(round_ % 2 * words_, words_);
}

template <typename T>
std::uint64_t& DividedSum<T>::count_of(Count count, int rank_on_host) const {
  const auto memory = host_ != nullptr ? own_.of(rank_on_host) : own_.own();
  return comm::values_in<std::uint64_t>(memory.last((kCounts - static_cast<std::size_t>(count)) * kLine))
      .front();
}

template <typename T>
void DividedSum<T>::tell(Count count, std::size_t buckets) {
  const int rank = host_ != nullptr ? host_->rank() : 0;
  std::atomic_ref(count_of(count, rank))
      .store(round_ * division_->buckets().size() + buckets, std::memory_order_release);
}

template <typename T>
std::size_t DividedSum<T>::least(Count count) const {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (int rank = 0; rank < (host_ != nullptr ? host_->size() : 1); ++rank)
    least = std::min(least, std::atomic_ref(count_of(count, rank)).load(std::memory_order_acquire));
  const std::uint64_t before = round_ * division_->buckets().size();
  return least > before ? static_cast<std::size_t>(least - before) : 0;
}

template <typename T>
void DividedSum<T>::connect() {
  connected_ = true;
  if (way_ == Way::kMemory) {
    if (connect_host(*communicator_)) return;
  } else if (way_ == Way::kTwo) {
    const int host = communicator_->hosts()[static_cast<std::size_t>(communicator_->rank())];
    const bool speaks = host == communicator_->rank();
    host_group_ = communicator_->split(host);
    exchange_group_ = communicator_->split(speaks ? 0 : 1);
    if (speaks) exchange_ = &*exchange_group_;
    const bool connected = connect_host(*host_group_);
    if (communicator_->allreduce_min(connected ? 1 : 0) == 1) return;
    if (options_.levels == Levels::kTwo)
      throw comm::CollectiveError(ExitCode::kConfig,
                                  "reduce.levels is \"two\", expected \"one\": the ranks of a host cannot "
                                  "share memory");
  }
  way_ = Way::kMessages;
  host_ = nullptr;
  published_.reset();
  exchange_ = communicator_;
  communicator_->all_or_none([&] { prepare_messages(); });
}

template <typename T>
bool DividedSum<T>::connect_host(const comm::Communicator& host) {
  host_ = &host;
  communicator_->all_or_none([&] {
    if (way_ == Way::kTwo) prepare_messages();
    published_.emplace(host.rank() == 0 ? division_->parameters() * sizeof(float) : 0);
  });
  return own_.connect(host) && published_->connect(host) && (!received_ || received_->connect(host));
}

template <typename T>
void DividedSum<T>::prepare_messages() {
  const std::vector<int>& hosts = communicator_->hosts();
  std::vector<int> speakers = hosts;
  if (way_ == Way::kMessages) std::iota(speakers.begin(), speakers.end(), 0);
  messages_ =
      plan_messages(*division_, speakers, speakers[static_cast<std::size_t>(communicator_->rank())], width());
  received_.emplace(exchange_ != nullptr ? messages_.received * width() : 0, way_ == Way::kTwo);
  if (exchange_ == nullptr) return;
  if (narrow_) wire_ = AlignedBuffer<Half>(local_.size());
  if (overlaps_) background_.emplace(*exchange_, progress_);
}

template <typename T>
void DividedSum<T>::complete_from(std::size_t first) {
  const std::vector<Bucket>& buckets = division_->buckets();
  const std::size_t before = complete_;
  while (complete_ < buckets.size() && buckets[complete_].begin() >= first) ++complete_;
  if (complete_ > before) tell(Count::kComplete, complete_);
  if (connected_ && overlaps_ && way_ != Way::kMemory) move_on();
  if (first == 0 && background_) background_->pause();
}

// Does for the buckets what can be done by now.
template <typename T>
void DividedSum<T>::move_on() {
  if (way_ == Way::kTwo) {
    const std::size_t complete = least(Count::kComplete), before = added_;
    while (added_ < complete) add_slice(division_->buckets()[added_++]);
    if (added_ > before) tell(Count::kAdded, added_);
  }
  if (exchange_ == nullptr) return;
  const std::size_t ready = way_ == Way::kTwo ? least(Count::kAdded) : complete_;
  while (sent_ < ready) send(sent_++);
}

// To the array of the rank that speaks for the host, this rank's share of the work.
template <typename T>
void DividedSum<T>::add_slice(const Bucket& bucket) {
  const auto ranks = static_cast<std::size_t>(host_->size()), rank = static_cast<std::size_t>(host_->rank());
  const std::size_t size = bucket.end() - bucket.begin();
  const std::size_t begin = bucket.begin() + size * rank / ranks,
                    end = bucket.begin() + size * (rank + 1) / ranks;
  const std::span<T> sum = comm::values_in<T>(own_.of(0));
  parallel_ranges(end - begin, Division::kChunk, threads_, [&](std::size_t first, std::size_t last) {
    for (std::size_t chunk = begin + first; chunk < begin + last; chunk += Division::kChunk) {
      const std::size_t count = std::min(Division::kChunk, begin + last - chunk);
      for (int r = 1; r < host_->size(); ++r)
        add<T>(local_of(r).subspan(chunk, count), sum.subspan(chunk, count));
    }
  });
}

template <typename T>
void DividedSum<T>::send(std::size_t b) {
  const Bucket& bucket = division_->buckets()[b];
  const Message& message = messages_.of_bucket[b];
  const std::size_t size = bucket.end() - bucket.begin();
  std::span<const std::byte> out = std::as_bytes(local_.subspan(bucket.begin(), size));
  if (narrow_) {
    const auto half = wire_.span().subspan(bucket.begin(), size);
    kernels::narrow(local_.subspan(bucket.begin(), size), half);
    out = std::as_bytes(half);
  }
  const auto in = received_->own().subspan(message.received * width());
  if (background_)
    background_->start(out, message.out, in, message.in);
  else
    exchange_->exchange(out, message.out, in, message.in);
}

template <typename T>
void DividedSum<T>::add_up(std::span<std::int64_t> x) {
  if (!connected_) connect();
  if (way_ != Way::kMemory) {
    std::atomic_thread_fence(std::memory_order_release);
    x.empty() ? communicator_->barrier() : communicator_->allreduce_sum(x);
    std::atomic_thread_fence(std::memory_order_acquire);
  } else {
    require(x.size() <= words_, "DividedSum::add_up: too many integers");
    std::ranges::copy(x, words_of(host_->rank()).begin());
    host_->barrier();
    std::ranges::fill(x, 0);
    for (int rank = 0; rank < host_->size(); ++rank) add<std::int64_t>(words_of(rank), x);
  }
  being_copied_ = false;  // all ranks were here since
}

template <typename T>
void DividedSum<T>::finish() {
  if (way_ != Way::kMemory) {
    move_on();
    if (way_ == Way::kTwo) {
      if (background_) background_->pause();
      host_->barrier();  // all slices are added
      move_on();
    }
    exchanging_ = background_.has_value();
    if (way_ == Way::kTwo) {
      end_exchange();
      host_->barrier();  // what the other hosts sent is there
    }
    if (background_) background_->pause();
  }
  ++round_;
  complete_ = added_ = sent_ = 0;
}

template <typename T>
std::size_t DividedSum<T>::wait_for_sum(std::size_t least) {
  if (!exchanging_) return Base::kAll;
  const std::vector<Bucket>& buckets = division_->buckets();
  const std::size_t own = division_->own().size();
  std::size_t count = least > 0 && least >= own ? buckets.size() : 0;
  const auto chunks = [&] { return count == 0 ? 0 : buckets[count - 1].own_chunks; };
  while (chunks() < least && count < buckets.size()) ++count;
  count = background_->wait_for(count);
  // All of them only when nothing is under way: in the buckets that are left may be none of this rank's.
  if (count < buckets.size()) return std::min(chunks(), std::max<std::size_t>(own, 1) - 1);
  end_exchange();
  return Base::kAll;
}

template <typename T>
void DividedSum<T>::end_exchange() {
  if (std::exchange(exchanging_, false)) background_->wait();
}

template <typename T>
std::span<const T> DividedSum<T>::read(std::size_t begin, std::span<T> scratch) const {
  std::ranges::copy(local_of(0).subspan(begin, scratch.size()), scratch.begin());
  if (way_ == Way::kMemory) {
    for (int rank = 1; rank < host_->size(); ++rank)
      add<T>(local_of(rank).subspan(begin, scratch.size()), scratch);
    return scratch;
  }
  const std::vector<Bucket>& buckets = division_->buckets();
  const auto bucket = std::ranges::lower_bound(buckets, begin, std::greater(), &Bucket::begin);
  const Message& message = messages_.of_bucket[static_cast<std::size_t>(bucket - buckets.begin())];
  narrow_ ? add_received<Half>(message, begin, scratch) : add_received<T>(message, begin, scratch);
  return scratch;
}

template <typename T>
template <typename U>
void DividedSum<T>::add_received(const Message& message, std::size_t begin, std::span<T> sum) const {
  const auto received = comm::values_in<const U>(way_ == Way::kTwo ? received_->of(0) : received_->own());
  const std::size_t place = message.received + begin - message.own_begin;
  for (std::size_t other = 0; other + 1 < message.in.sizes.size(); ++other) {
    const auto values = received.subspan(place + other * message.own_size, sum.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += widened(values[i]);
  }
}

template <typename T>
void DividedSum<T>::copy(std::span<const float> from, std::span<float> to, std::size_t begin,
                         std::size_t end) const {
  parallel_ranges(end - begin, Division::kChunk, threads_, [&](std::size_t first, std::size_t last) {
    std::copy(from.data() + begin + first, from.data() + begin + last, to.data() + begin + first);
  });
}

// Where messages may take this rank's part from: in the arena, or with those of the host's other ranks.
template <typename T>
std::span<float> DividedSum<T>::publish(std::span<float> arena) {
  if (way_ == Way::kMessages) return arena;
  if (being_copied_) host_->barrier();
  being_copied_ = true;
  const std::span<float> published = comm::values_in<float>(published_->of(0));
  const std::size_t own = division_->part_of(communicator_->rank());
  for (const Bucket& bucket : division_->buckets())
    copy(arena, published, bucket.cuts[own], bucket.cuts[own + 1]);
  host_->barrier();
  return published;
}

template <typename T>
void DividedSum<T>::take_published(const Bucket& bucket, std::span<float> arena) const {
  const std::span<const float> published = comm::values_in<float>(published_->of(0));
  const std::size_t own = division_->part_of(communicator_->rank());
  copy(published, arena, bucket.begin(), bucket.cuts[own]);
  copy(published, arena, bucket.cuts[own + 1], bucket.end());
}

template <typename T>
void DividedSum<T>::gather(std::span<float> arena) {
  if (!connected_) connect();
  wait_for(arriving_, arriving_.size());
  const std::span<float> target = publish(arena);
  if (exchange_ != nullptr) {
    std::vector<comm::Communicator::Gathered> buffers;
    for (std::size_t b = messages_.of_bucket.size(); b-- > 0;) buffers.push_back(parameters_of(b, target));
    exchange_->allgather(buffers);
  }
  if (way_ == Way::kMessages) return;
  if (way_ == Way::kTwo) host_->barrier();
  for (const Bucket& bucket : division_->buckets()) take_published(bucket, arena);
}

template <typename T>
comm::Communicator::Gathered DividedSum<T>::parameters_of(std::size_t b, std::span<float> arena) const {
  const Bucket& bucket = division_->buckets()[b];
  return {std::as_writable_bytes(arena.subspan(bucket.begin(), bucket.end() - bucket.begin())),
          &messages_.of_bucket[b].parameters};
}

template <typename T>
void DividedSum<T>::begin_gather(std::span<float> arena) {
  if (way_ == Way::kMemory || !overlaps_) return gather(arena);
  const std::span<float> target = publish(arena);
  arriving_ = arena;
  if (exchange_ == nullptr) return;
  if (way_ == Way::kTwo)
    background_->tell(count_of(Count::kArrived, 0), round_ * division_->buckets().size());
  for (std::size_t b = messages_.of_bucket.size(); b-- > 0;)  // the first layers first
    background_->start_in_turn(parameters_of(b, target));
}

template <typename T>
std::size_t DividedSum<T>::wait_for(std::span<const float> parameters, std::size_t least) {
  if (arriving_.empty()) return parameters.size();
  const std::vector<Bucket>& buckets = division_->buckets();
  // Of the arena, when so many buckets are there, the last of the list first.
  const auto elements = [&](std::size_t count) {
    return count == 0 ? 0 : buckets[buckets.size() - count].end();
  };
  const auto begin = static_cast<std::size_t>(parameters.data() - arriving_.data());
  std::size_t count = 0;
  if (least > 0)
    while (elements(count) < begin + least) ++count;
  count = exchange_ != nullptr ? background_->wait_for(count) : wait_for_speaker(count);
  if (way_ == Way::kTwo)
    for (; taken_ < count; ++taken_) take_published(buckets[buckets.size() - 1 - taken_], arriving_);
  if (count == buckets.size()) {
    if (exchange_ != nullptr) background_->wait();
    arriving_ = {};
    taken_ = 0;
  }
  const std::size_t there = elements(count);
  return there < begin ? 0 : std::min(there - begin, parameters.size());
}

// Returns when the rank that speaks for this host says that so many buckets of parameters are there; how many
// are.
template <typename T>
std::size_t DividedSum<T>::wait_for_speaker(std::size_t count) const {
  const std::uint64_t before = round_ * division_->buckets().size();
  for (;;) {
    const std::uint64_t told = std::atomic_ref(count_of(Count::kArrived, 0)).load(std::memory_order_acquire);
    const std::size_t there = told > before ? static_cast<std::size_t>(told - before) : 0;
    if (there >= count) return there;
    std::this_thread::yield();
  }
}

template <typename T>
void DividedSum<T>::give_up() {
  if (!arriving_.empty()) background_.reset();
}

template class DividedSum<float>;
template class DividedSum<std::int32_t>;

}  // namespace lockstep::reduce
