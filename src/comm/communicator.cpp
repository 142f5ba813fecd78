#include "comm/communicator.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "comm/mpi_handle.h"

namespace lockstep::comm {
namespace {

constexpr std::size_t kMaxMessage = std::size_t{1} << 30;  // elements; MPI counts in int

template <typename T>
void allreduce_in_place(std::span<T> x, MPI_Op operation, MPI_Comm mpi) {
  for (std::size_t begin = 0; begin < x.size(); begin += kMaxMessage) {
    const auto part = x.subspan(begin, std::min(kMaxMessage, x.size() - begin));
    check(
        MPI_Allreduce(MPI_IN_PLACE, part.data(), static_cast<int>(part.size()), type_of<T>(), operation, mpi),
        "MPI_Allreduce");
  }
}

// Integers in the order of the doubles that they stand for, NaN last: what MPI_MAX makes of NaN is not said.
constexpr std::int64_t kLastOrdinal = std::numeric_limits<std::int64_t>::max();  // as bits a NaN
std::int64_t ordinal_of(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  if (std::isnan(x)) return kLastOrdinal;
  return bits >= 0 ? bits : bits ^ kLastOrdinal;
}
double double_of(std::int64_t ordinal) {
  return std::bit_cast<double>(ordinal >= 0 ? ordinal : ordinal ^ kLastOrdinal);
}

void add_bfloat16(void* x, void* sums, int* length, MPI_Datatype* /*type*/) {
  const auto* from = static_cast<const Bfloat16*>(x);
  auto* to = static_cast<Bfloat16*>(sums);
  for (int i = 0; i < *length; ++i) to[i] = to_bfloat16(to_float(to[i]) + to_float(from[i]));
}

}  // namespace

MPI_Op bfloat16_sum() {
  static const MPI_Op operation = [] {
    MPI_Op created = MPI_OP_NULL;
    check(MPI_Op_create(add_bfloat16, /*commute=*/1, &created), "MPI_Op_create");
    return created;
  }();
  return operation;
}

std::string host_name() {
  char name[256] = "";  // longer than Linux allows
  ::gethostname(name, sizeof name - 1);
  return name;
}

Communicator::Communicator() = default;
Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;
Communicator::~Communicator() = default;

Communicator Communicator::owning(Handle handle) {
  Communicator owner;
  owner.handle_ = std::make_unique<Handle>(handle);
  check(MPI_Comm_rank(handle.mpi, &owner.rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(handle.mpi, &owner.size_), "MPI_Comm_size");
  owner.hosts_.assign(static_cast<std::size_t>(owner.size_), 0);
  MPI_Comm_set_errhandler(handle.mpi, MPI_ERRORS_RETURN);
  return owner;
}

Communicator Communicator::duplicate(Group group) {
  const MPI_Comm mpi = group == Group::kWorld ? MPI_COMM_WORLD : MPI_COMM_SELF;
  Handle copy;
  check(MPI_Comm_dup(mpi, &copy.mpi), "MPI_Comm_dup");
  Communicator owner = owning(copy);
  owner.find_hosts();
  return owner;
}

Communicator Communicator::split(int colour) const {
  Handle part;
  check(MPI_Comm_split(handle_->mpi, colour, rank_, &part.mpi), "MPI_Comm_split");
  Communicator owner = owning(part);
  owner.find_hosts();
  return owner;
}

Communicator Communicator::taken_to_be_on(std::vector<int> hosts) const {
  require(hosts.size() == hosts_.size(), "Communicator::taken_to_be_on: not a host for each rank");
  Communicator copy = split(0);
  copy.hosts_ = std::move(hosts);
  copy.on_one_host_ = std::ranges::all_of(copy.hosts_, [](int host) { return host == 0; });
  return copy;
}

Communicator Communicator::of_this_host() const {
  Handle host;
  check(MPI_Comm_split_type(handle_->mpi, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host.mpi),
        "MPI_Comm_split_type");
  return owning(host);
}

void Communicator::find_hosts() {
  const std::int64_t lowest = of_this_host().allreduce_min(rank_);
  const std::vector<std::int64_t> hosts = allgather(lowest);
  hosts_.assign(hosts.begin(), hosts.end());
  on_one_host_ = std::ranges::all_of(hosts_, [](int host) { return host == 0; });
}

void Communicator::allreduce_sum(std::span<float> x) const {
  if (size_ > 1) allreduce_in_place(x, sum_of<float>(), handle_->mpi);
}

void Communicator::allreduce_sum(std::span<Bfloat16> x) const {
  if (size_ > 1) allreduce_in_place(x, sum_of<Bfloat16>(), handle_->mpi);
}

void Communicator::allreduce_sum(std::span<std::int16_t> x) const {
  if (size_ > 1) allreduce_in_place(x, sum_of<std::int16_t>(), handle_->mpi);
}

void Communicator::allreduce_sum(std::span<std::int32_t> x) const {
  if (size_ > 1) allreduce_in_place(x, sum_of<std::int32_t>(), handle_->mpi);
}

void Communicator::allreduce_sum(std::span<std::int64_t> x) const {
  if (size_ > 1) allreduce_in_place(x, sum_of<std::int64_t>(), handle_->mpi);
}

void Communicator::allreduce_max(std::span<std::int64_t> x) const {
  if (size_ > 1) allreduce_in_place(x, MPI_MAX, handle_->mpi);
}

void Communicator::allreduce_max(std::span<double> x) const {
  std::vector<std::int64_t> ordinals(x.size());
  std::transform(x.begin(), x.end(), ordinals.begin(), ordinal_of);
  allreduce_max(ordinals);
  std::transform(ordinals.begin(), ordinals.end(), x.begin(), double_of);
}

double Communicator::allreduce_max(double x) const {
  allreduce_max(std::span(&x, 1));
  return x;
}

void Communicator::barrier() const {
  std::atomic_thread_fence(std::memory_order_release);
  if (size_ > 1) check(MPI_Barrier(handle_->mpi), "MPI_Barrier");
  std::atomic_thread_fence(std::memory_order_acquire);
}

std::int64_t Communicator::allreduce_min(std::int64_t x) const {
  if (size_ > 1)
    check(MPI_Allreduce(MPI_IN_PLACE, &x, 1, MPI_INT64_T, MPI_MIN, handle_->mpi), "MPI_Allreduce");
  return x;
}

std::vector<std::int64_t> Communicator::allgather(std::int64_t x) const {
  std::vector<std::int64_t> all(static_cast<std::size_t>(size_), x);
  if (size_ > 1) {
    check(MPI_Allgather(&x, 1, MPI_INT64_T, all.data(), 1, MPI_INT64_T, handle_->mpi), "MPI_Allgather");
  }
  return all;
}

std::vector<std::string> Communicator::gather(const std::string& bytes, int root) const {
  std::vector<std::string> all;
  const std::vector<std::int64_t> sizes = allgather(static_cast<std::int64_t>(bytes.size()));
  constexpr int kTag = 1;
  for (int r = 0; r < size_; ++r) {
    if (rank_ != root && rank_ != r) continue;
    std::string text = r == rank_ ? bytes : std::string();
    text.resize(static_cast<std::size_t>(sizes[static_cast<std::size_t>(r)]));
    for (std::size_t begin = 0; r != root && begin < text.size(); begin += kMaxMessage) {
      char* part = text.data() + begin;
      const auto count = static_cast<int>(std::min(kMaxMessage, text.size() - begin));
      if (rank_ == root)
        check(MPI_Recv(part, count, MPI_BYTE, r, kTag, handle_->mpi, MPI_STATUS_IGNORE), "MPI_Recv");
      else
        check(MPI_Send(part, count, MPI_BYTE, root, kTag, handle_->mpi), "MPI_Send");
    }
    if (rank_ == root) all.push_back(std::move(text));
  }
  return all;
}

void Communicator::exchange(std::span<const std::byte> out, const Parts& of_out, std::span<std::byte> in,
                            const Parts& of_in) const {
  check(MPI_Alltoallv(out.data(), of_out.sizes.data(), of_out.places.data(), MPI_BYTE, in.data(),
                      of_in.sizes.data(), of_in.places.data(), MPI_BYTE, handle_->mpi),
        "MPI_Alltoallv");
}

void Communicator::allgather(std::span<const Gathered> buffers) const {
  if (size_ == 1) return;
  std::vector<MPI_Request> requests(buffers.size(), MPI_REQUEST_NULL);
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const auto& [buffer, parts] = buffers[i];
    check(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, buffer.data(), parts->sizes.data(), parts->places.data(),
                          MPI_BYTE, handle_->mpi, &requests[i]),
          "MPI_Iallgatherv");
  }
  check(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
        "MPI_Iallgatherv");
}

void Communicator::send(std::span<const float> x, int to) const {
  constexpr int kTag = 3;
  for (std::size_t begin = 0; begin < x.size(); begin += kMaxMessage) {
    const auto part = x.subspan(begin, std::min(kMaxMessage, x.size() - begin));
    check(MPI_Send(part.data(), static_cast<int>(part.size()), MPI_FLOAT, to, kTag, handle_->mpi),
          "MPI_Send");
  }
}

void Communicator::receive(std::span<float> x, int from) const {
  constexpr int kTag = 3;
  for (std::size_t begin = 0; begin < x.size(); begin += kMaxMessage) {
    const auto part = x.subspan(begin, std::min(kMaxMessage, x.size() - begin));
    check(MPI_Recv(part.data(), static_cast<int>(part.size()), MPI_FLOAT, from, kTag, handle_->mpi,
                   MPI_STATUS_IGNORE),
          "MPI_Recv");
  }
}

// Cristian, "Probabilistic clock synchronization", Distributed Computing 3 (1989): the reading of the fastest
// round trip counts.
std::int64_t Communicator::clock_ahead_of_first() const {
  constexpr int kRounds = 20, kTag = 2;
  std::int64_t ahead = 0, fastest = std::numeric_limits<std::int64_t>::max();
  for (int r = 1; r < size_; ++r) {
    for (int round = 0; round < kRounds; ++round) {
      std::int64_t first = 0;
      if (rank_ == r) {
        const std::int64_t sent = nanoseconds_now();
        check(MPI_Send(&first, 1, MPI_INT64_T, 0, kTag, handle_->mpi), "MPI_Send");
        check(MPI_Recv(&first, 1, MPI_INT64_T, 0, kTag, handle_->mpi, MPI_STATUS_IGNORE), "MPI_Recv");
        const std::int64_t trip = nanoseconds_now() - sent;
        if (trip < fastest) {
          fastest = trip;
          ahead = sent + trip / 2 - first;
        }
      } else if (rank_ == 0) {
        check(MPI_Recv(&first, 1, MPI_INT64_T, r, kTag, handle_->mpi, MPI_STATUS_IGNORE), "MPI_Recv");
        first = nanoseconds_now();
        check(MPI_Send(&first, 1, MPI_INT64_T, r, kTag, handle_->mpi), "MPI_Send");
      }
    }
  }
  return ahead;
}

void Communicator::broadcast(std::span<std::byte> bytes, int root) const {
  if (size_ == 1) return;
  for (std::size_t begin = 0; begin < bytes.size(); begin += kMaxMessage) {
    const auto part = bytes.subspan(begin, std::min(kMaxMessage, bytes.size() - begin));
    check(MPI_Bcast(part.data(), static_cast<int>(part.size()), MPI_BYTE, root, handle_->mpi), "MPI_Bcast");
  }
}

void Communicator::broadcast(std::string& text, int root) const {
  std::size_t length = text.size();
  broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
  text.resize(length);
  broadcast(std::as_writable_bytes(std::span(text)), root);
}

void Communicator::all_or_none(const std::function<void()>& action) const {
  std::optional<ExitCode> failure;
  std::string message;
  try {
    action();
  } catch (const Error& error) {
    failure = error.code();
    message = error.what();
  } catch (const std::bad_alloc&) {
    failure = ExitCode::kRank;
    message = "out of memory";
  } catch (const std::exception& error) {
    failure = ExitCode::kRank;
    message = error.what();
  }
  std::int64_t failures = failure ? 1 : 0;
  allreduce_sum(std::span(&failures, 1));
  if (failures == 0) return;
  const auto first = static_cast<int>(allreduce_min(failure ? rank_ : size_));
  std::int64_t code = rank_ == first ? static_cast<std::int64_t>(*failure) : 0;
  allreduce_sum(std::span(&code, 1));
  broadcast(message, first);
  if (first > 0 && failures < size_) message = fmt::format("rank {}: {}", first, message);
  throw CollectiveError(static_cast<ExitCode>(code), message);
}

}  // namespace lockstep::comm
